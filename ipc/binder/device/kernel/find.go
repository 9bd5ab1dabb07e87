package kernel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// nodeNames are the names of a device in the order in which Find prefers
// them; the last two are Android's other domains.
var nodeNames = []string{"binder", "anbox-binder", "hwbinder", "vndbinder"}

// Find looks for a node of the driver: in /dev, in a mounted binderfs, and
// last, where the kernel has binderfs and this process may mount it, in one
// that it mounts on DefaultMount. Where there is none the error wraps
// errors.ErrUnsupported and says how to get one.
func Find() (path string, err error) {
	if path, ok := nodeIn("/dev"); ok {
		return path, usable(path)
	}
	if dir, ok := Mounted(); ok {
		return inBinderfs(dir)
	}
	if !hasBinderfs() {
		return "", fmt.Errorf("%w: this kernel has no Binder driver: %s", errors.ErrUnsupported, hint())
	}
	if err := Mount(DefaultMount); err != nil {
		return "", fmt.Errorf("%w: the kernel has binderfs, but: %w; as root: mount -t binder binder %s",
			errors.ErrUnsupported, err, DefaultMount)
	}
	return inBinderfs(DefaultMount)
}

// inBinderfs is the first device of a mounted binderfs, a new one if it has none.
func inBinderfs(dir string) (string, error) {
	if path, ok := nodeIn(dir); ok {
		return path, usable(path)
	}
	path, err := AddDevice(dir, nodeNames[0])
	if err != nil {
		return "", fmt.Errorf("%w: binderfs on %s has no device, and: %w", errors.ErrUnsupported, dir, err)
	}
	return path, nil
}

func nodeIn(dir string) (string, bool) {
	for _, name := range nodeNames {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return path, true
		}
	}
	return "", false
}

// usable says why a node that is there cannot be opened.
func usable(path string) error {
	if err := unix.Access(path, unix.R_OK|unix.W_OK); err != nil {
		return fmt.Errorf("%w: %s is there, but: %w; nodes belong to root until their mode is changed",
			errors.ErrUnsupported, path, err)
	}
	return nil
}

func hasBinderfs() bool {
	known, err := os.ReadFile("/proc/filesystems")
	return err == nil && slices.Contains(strings.Fields(string(known)), binderfsType)
}

// hint says how this machine could get the driver, or do without.
func hint() string {
	return ownDriver() + "; or, without touching this system, run in a kernel that has it: go run ./vm"
}

// ownDriver says how the running system could get it.
func ownDriver() string {
	if inContainer() {
		return "this is a container: load binder_linux on the host and pass the node in (--device /dev/binder)"
	}
	release := kernelRelease()
	modules, _ := filepath.Glob(filepath.Join("/lib/modules", release, "kernel/drivers/android/binder_linux.ko*"))
	switch {
	case len(modules) > 0:
		return "as root: modprobe binder_linux devices=binder"
	case strings.Contains(release, "cloud"):
		return "Debian's cloud kernels leave it out: boot linux-image-amd64, then modprobe binder_linux"
	}
	return "on Ubuntu install linux-modules-extra-" + release + ", on Debian boot linux-image-amd64, then modprobe binder_linux"
}

func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

func inContainer() bool {
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			return true
		}
	}
	return false
}
