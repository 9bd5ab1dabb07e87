package claims

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

// reach tries to write to the memory that another process has mapped as target, at
// the other's address, by everything that a process can do with its own mappings and
// with files: not by a debugger's rights over the other, which nothing withstands.
// It returns how, or what it got last.
func reach(target mapping, address uint64) (how, errno string) {
	mine, err := mappingsOf(os.Getpid())
	if err != nil {
		return "", errnoName(err)
	}
	errno = "no mapping of it, and no file"
	for _, m := range mine {
		if target.Inode == 0 || m.Dev != target.Dev || m.Inode != target.Inode {
			continue
		}
		at := target.corresponding(address, m)
		if at < m.Start || at >= m.End {
			continue
		}
		page := uint64(unix.Getpagesize())
		if !m.Writable {
			if err := sys.ProtectAt(uintptr(at&^(page-1)), int(page), unix.PROT_READ|unix.PROT_WRITE); err != nil {
				errno = "its mapping stays read-only: " + errnoName(err)
				continue
			}
		}
		if errno = store(sys.BytesAt(uintptr(at), 1)); errno == "" {
			return "a writable mapping that it has anyway", ""
		}
	}
	for _, path := range filesOf(target) {
		if errno = writeFile(path, int64(address-target.Start)+target.Offset); errno == "" {
			return "opening " + generalised(path), ""
		}
		errno = "opening " + generalised(path) + ": " + errno
	}
	return "", errno
}

// filesOf are paths by which this process may open the memory: its own name, and
// this process's descriptors of it.
func filesOf(target mapping) (paths []string) {
	candidates, _ := filepath.Glob("/proc/self/fd/*")
	for _, path := range append(candidates, target.Path) {
		var st unix.Stat_t
		if target.Inode != 0 && unix.Stat(path, &st) == nil && st.Ino == target.Inode {
			paths = append(paths, path)
		}
	}
	return paths
}

// writeFile maps the page of a file at an offset and stores there.
func writeFile(path string, offset int64) string {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return errnoName(err)
	}
	defer f.Close()
	page := int64(unix.Getpagesize())
	b, err := unix.Mmap(int(f.Fd()), offset&^(page-1), int(page), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return errnoName(err)
	}
	defer unix.Munmap(b)
	return store(b[offset&(page-1):])
}

// generalised is a path without what differs from run to run.
func generalised(path string) string {
	if filepath.Dir(path) == "/proc/self/fd" {
		return "a descriptor that it has"
	}
	return "the file of the region"
}

// replaceIdentity replaces this process's identity by forged wherever it stands, as
// two words side by side, in memory that this process can write.
func replaceIdentity() error {
	all, err := mappingsOf(os.Getpid())
	if err != nil {
		return err
	}
	memory, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer memory.Close()
	// What is searched for must not be found here: it is kept in disguise, and out
	// of it only as long as a page is looked at.
	disguised := ^binary.NativeEndian.Uint64(words(identity{int32(os.Getpid()), uint32(os.Geteuid())}))
	for _, m := range all {
		if m.Writable {
			replaceIn(memory, m, disguised)
		}
	}
	return nil
}

// replaceIn replaces the identity in the pages of a mapping that this process has
// touched: to look at others would only make them be there.
func replaceIn(memory *os.File, m mapping, disguised uint64) {
	page := make([]byte, unix.Getpagesize())
	for i, there := range present(m) {
		at := int64(m.Start) + int64(i*len(page))
		if !there {
			continue
		}
		if _, err := memory.ReadAt(page, at); err != nil {
			continue
		}
		mine, theirs := binary.NativeEndian.AppendUint64(nil, ^disguised), words(forged)
		for from := 0; ; from += len(mine) {
			next := bytes.Index(page[from:], mine)
			if next < 0 {
				break
			}
			from += next
			_, _ = memory.WriteAt(theirs, at+int64(from))
		}
	}
}

// words is an identity as it stands in memory.
func words(who identity) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(who.PID))
	return binary.NativeEndian.AppendUint32(b, who.UID)
}
