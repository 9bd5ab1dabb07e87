package importtest_test

import (
	"slices"
	"testing"

	"ipcbench/internal/importtest"
)

func TestNoArrowTurnsRound(t *testing.T) {
	violations, err := importtest.Check("ipcbench", "../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		t.Error(v)
	}
}

// The tree in testdata has one file a violation, and some that are in order.
func TestViolationsAreFound(t *testing.T) {
	got, err := importtest.Check("ipcbench", "testdata/turned")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"attic/lost.go: stands in no room",
		"harness/knows.go: imports ipc/pipe, against the direction of harness",
		"harness/raw.go: calls syscall.RawSyscall outside its fence",
		"harness/raw_test.go: calls unix.Syscall outside its fence",
		"harness/up.go: imports results, against the direction of harness",
		"internal/sys/futex.go: imports unsafe outside its fence",
		"ipc/binder/abi/layout_unsafe.go: uses unsafe.Pointer, where only sizes and offsets are asked for",
		"ipc/binder/device/kernel/shortcut.go: imports ipc/binder/driver, against the direction of ipc/binder/device/kernel",
		"ipc/binder/driver/files.go: ipc/binder/driver knows no os",
		"ipc/binder/driver/sockets.go: ipc/binder/driver knows no net/netip",
		"ipc/binder/driver/up.go: imports ipc/binder/device, against the direction of ipc/binder/driver",
		"ipc/binder/runtime.go: imports ipc/binder/driver, against the direction of ipc/binder",
		"ipc/pipe/rival.go: imports ipc/socket, against the direction of ipc/*",
		"ipc/pipe/suite.go: imports ipc/transporttest, which is for tests",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}
