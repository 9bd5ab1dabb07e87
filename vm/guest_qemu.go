package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// enterHost loads the modules and makes the host's files the root, as
// switch_root(8) does: until then there is only the initial file system.
func enterHost() error {
	if err := loadModules("/" + modulesDir); err != nil {
		return err
	}
	const root = "/root"
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	if err := mount9p(rootTag, root, unix.MS_RDONLY, "cache=loose"); err != nil {
		return err
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("make the host's files the root: %w", err)
	}
	return errors.Join(unix.Chroot("."), os.Chdir("/"))
}

// mountShare mounts a directory that qemu was told to share under a tag.
func mountShare(tag, dir string) error { return mount9p(tag, dir, 0, "cache=none") }

func mount9p(tag, dir string, flags uintptr, caching string) error {
	const options = "trans=virtio,version=9p2000.L,msize=262144,"
	if err := unix.Mount(tag, dir, "9p", flags, options+caching); err != nil {
		return fmt.Errorf("mount the host's files at %s: %w", dir, err)
	}
	return nil
}

// openNodes lets everybody open the nodes that the module has in /dev.
func openNodes() error {
	for _, name := range binderNodes {
		if err := os.Chmod(filepath.Join("/dev", name), 0o666); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// loadModules loads all modules of a directory, in the order of their names.
func loadModules(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := loadModule(filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("load module %s: %w", entry.Name(), err)
		}
	}
	return nil
}

// initCompressed is MODULE_INIT_COMPRESSED_FILE of finit_module(2).
const initCompressed = 4

// binderNodes are the devices that Binder is asked for, as Android does.
var binderNodes = []string{"binder", "hwbinder", "vndbinder"}

// loadModule loads one.
func loadModule(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags, parameters := 0, ""
	if !strings.HasSuffix(path, ".ko") {
		flags = initCompressed
	}
	if strings.Contains(path, "binder_linux") {
		parameters = "devices=" + strings.Join(binderNodes, ",")
	}
	err = unix.FinitModule(int(f.Fd()), parameters, flags)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
