package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// initramfs is an initial file system: a cpio archive in the format "newc"
// (Documentation/driver-api/early-userspace/buffer-format.rst).
type initramfs struct {
	archive bytes.Buffer
	inodes  int
}

const (
	directoryMode = 0o040755
	programMode   = 0o100755
)

func (a *initramfs) directory(name string) { a.entry(name, directoryMode, nil) }

// file adds a file of the host.
func (a *initramfs) file(name, host string) error {
	content, err := os.ReadFile(host)
	if err != nil {
		return err
	}
	a.entry(name, programMode, content)
	return nil
}

// entry is a header of 13 numbers in 8 hexadecimal digits each, the name, and the
// content; name and content are padded to 4 bytes.
func (a *initramfs) entry(name string, mode int, content []byte) {
	a.inodes++
	fmt.Fprintf(&a.archive, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		a.inodes, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0)
	a.archive.WriteString(name + "\x00")
	a.pad()
	a.archive.Write(content)
	a.pad()
}

func (a *initramfs) pad() {
	for a.archive.Len()%4 != 0 {
		a.archive.WriteByte(0)
	}
}

// bytes ends the archive.
func (a *initramfs) bytes() []byte {
	a.entry("TRAILER!!!", 0, nil)
	return a.archive.Bytes()
}

// modulesDir is where the modules lie in the initial file system, under names
// whose order is that of loading.
const modulesDir = "modules"

// newInitramfs has init as the first process, and the modules. The archive under
// it, if any, comes first: the kernel unpacks one over the other.
func newInitramfs(init string, modules []string, under string) ([]byte, error) {
	var a initramfs
	if err := a.file("init", init); err != nil {
		return nil, err
	}
	a.directory(modulesDir)
	for i, module := range modules {
		if err := a.file(fmt.Sprintf("%s/%02d-%s", modulesDir, i, filepath.Base(module)), module); err != nil {
			return nil, err
		}
	}
	if under == "" {
		return a.bytes(), nil
	}
	below, err := os.ReadFile(under)
	if err != nil {
		return nil, err
	}
	for len(below)%4 != 0 {
		below = append(below, 0)
	}
	return append(below, a.bytes()...), nil
}
