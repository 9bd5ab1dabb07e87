package daemon

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/device/daemon/wire"
)

// views are the daemon's by the names of the kernel's files.
var views = map[string]wire.View{"state": wire.ViewState, "stats": wire.ViewStats, "transactions": wire.ViewTransactions}

// View is described by device.Viewer. Errors are those of Show, besides.
func (d *Device) View(name string) (string, error) {
	view, known := views[name]
	pid := 0
	if digits, ok := strings.CutPrefix(name, "proc/"); ok {
		var err error
		pid, err = strconv.Atoi(digits)
		view, known = wire.ViewProcess, err == nil
	}
	if !known {
		return "", fmt.Errorf("no view %q of a Binder device: %w", name, os.ErrNotExist)
	}
	var text strings.Builder
	err := d.Show(&text, view, pid)
	if errors.Is(err, unix.ESRCH) {
		err = fmt.Errorf("process %d has not opened the Binder device: %w", pid, os.ErrNotExist)
	}
	return text.String(), err
}

// Shrink is described by device.Shrinker. It always fails.
func (f *File) Shrink(int) (int, error) {
	return 0, fmt.Errorf("a region is sealed against its receiver, and so against holes: %w", errors.ErrUnsupported)
}
