package kernel

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Whatever the machine, Find answers with a node that opens or with the reason.
func TestFind(t *testing.T) {
	path, err := Find()
	if err != nil {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Fatalf("%v does not wrap ErrUnsupported", err)
		}
		t.Log(err)
		return
	}
	d, err := New(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, unix.EBADF) {
		t.Errorf("second close: %v", err)
	}
}

func TestOpenReportsThePath(t *testing.T) {
	d, err := New(filepath.Join(t.TempDir(), "binder"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// An ordinary file answers no ioctl of Binder.
func TestNotABinderFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := New(path, RawIoctl())
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Open(unix.O_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Ioctl(0, 0xC0046209, 0); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("ioctl: %v", err)
	}
}

func TestAddDeviceRefusesNames(t *testing.T) {
	for _, name := range []string{"", string(make([]byte, maxDeviceName+1))} {
		if _, err := AddDevice(t.TempDir(), name); !errors.Is(err, unix.ENAMETOOLONG) {
			t.Errorf("%d bytes: %v", len(name), err)
		}
	}
}
