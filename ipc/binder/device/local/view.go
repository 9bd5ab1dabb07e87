package local

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"ipcbench/ipc/binder/driver"
)

// views are the texts that a driver shows of itself, by the names of the
// kernel's files.
var views = map[string]func(*driver.State, io.Writer) error{
	"state":        (*driver.State).WriteState,
	"stats":        (*driver.State).WriteStats,
	"transactions": (*driver.State).WriteTransactions,
}

// View is described by device.Viewer.
func View(d *driver.Driver, name string) (string, error) {
	write := views[name]
	if pid, ok := strings.CutPrefix(name, "proc/"); ok {
		write = func(s *driver.State, w io.Writer) error { return writeProcess(s, w, pid) }
	}
	if write == nil {
		return "", fmt.Errorf("no view %q of a Binder device: %w", name, os.ErrNotExist)
	}
	var text strings.Builder
	state := d.State()
	err := write(&state, &text)
	return text.String(), err
}

// writeProcess writes each binder_proc of a process.
func writeProcess(s *driver.State, w io.Writer, pid string) error {
	err := fmt.Errorf("process %s has not opened the Binder device: %w", pid, os.ErrNotExist)
	for i := range s.Procs {
		if p := &s.Procs[i]; strconv.Itoa(int(p.PID)) == pid {
			if err = p.Write(w); err != nil {
				return err
			}
		}
	}
	return err
}

// Shrink is described by device.Shrinker.
func (f *File) Shrink(pages int) (int, error) { return f.proc.Shrink(pages), nil }
