package kernel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

// DefaultMount is where binderfs is mounted when nobody mounted it before.
const DefaultMount = "/dev/binderfs"

const (
	binderfsType = "binder"
	controlNode  = "binder-control"
)

// binderfs_device of linux/android/binderfs.h: a name, then the numbers of the
// new node.
const (
	maxDeviceName      = 255
	sizeofFSDevice     = maxDeviceName + 1 + 4 + 4
	binderCtlAdd       = 3<<30 | sizeofFSDevice<<16 | 'b'<<8 | 1
	binderfsMountStats = "stats=global"
)

// Mounted is where a binderfs is mounted in this process's mount namespace.
func Mounted() (dir string, ok bool) {
	mounts, err := procfs.GetMounts()
	if err != nil {
		return "", false
	}
	at := slices.IndexFunc(mounts, func(m *procfs.MountInfo) bool { return m.FSType == binderfsType })
	if at < 0 {
		return "", false
	}
	return mounts[at].MountPoint, true
}

// Mount mounts a new binderfs, with its statistics, on dir, which is created
// if need be. That takes CAP_SYS_ADMIN. A kernel without binderfs is
// ErrUnsupported.
func Mount(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("mount point of binderfs: %w", err)
	}
	err := unix.Mount("binder", dir, binderfsType, 0, binderfsMountStats)
	if errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("%w: this kernel has no binderfs", errors.ErrUnsupported)
	}
	if err != nil {
		return fmt.Errorf("mount binderfs on %s: %w", dir, err)
	}
	return nil
}

// AddDevice makes a node with a context of its own in the binderfs mounted on
// dir and returns its path. The node is root's; removing the file removes the
// context.
func AddDevice(dir, name string) (path string, err error) {
	if len(name) == 0 || len(name) > maxDeviceName {
		return "", fmt.Errorf("binderfs device name %q: %w", name, unix.ENAMETOOLONG)
	}
	control, err := os.Open(filepath.Join(dir, controlNode))
	if err != nil {
		return "", fmt.Errorf("binderfs control: %w", err)
	}
	defer control.Close()
	arg, err := sys.MapFile(-1, sizeofFSDevice, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return "", fmt.Errorf("memory for a request: %w", err)
	}
	defer sys.UnmapAt(arg, sizeofFSDevice)
	copy(sys.BytesAt(arg, maxDeviceName), name)
	if err := sys.Ioctl(int(control.Fd()), binderCtlAdd, arg); err != nil {
		return "", fmt.Errorf("binderfs device %q: %w", name, err)
	}
	return filepath.Join(dir, name), nil
}

// Logs is the directory in which the driver shows its statistics and state:
// of a binderfs that was mounted for that, or of debugfs.
func Logs() (dir string, ok bool) {
	candidates := []string{"/sys/kernel/debug/binder"}
	if mounted, ok := Mounted(); ok {
		candidates = append([]string{filepath.Join(mounted, "binder_logs")}, candidates...)
	}
	for _, dir := range candidates {
		if _, err := os.Stat(filepath.Join(dir, "stats")); err == nil {
			return dir, true
		}
	}
	return "", false
}
