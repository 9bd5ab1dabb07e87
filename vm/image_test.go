package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// write makes empty files under a new directory.
func write(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Modules are found wherever a package has them, in the order of loading.
func TestModulesIn(t *testing.T) {
	dir := write(t, "fs/9p/9p.ko.xz", "drivers/android/binder_linux.ko.xz", "net/9p/9pnet.ko", "9p.txt", "net/9pnet_rdma.ko")
	got, err := modulesIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"net/9p/9pnet.ko", "fs/9p/9p.ko.xz", "drivers/android/binder_linux.ko.xz"}
	for i := range want {
		want[i] = filepath.Join(dir, want[i])
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The archive is one that cpio(1) reads, with the modules in their order.
func TestInitramfs(t *testing.T) {
	cpio, err := exec.LookPath("cpio")
	if err != nil {
		t.Skip(err)
	}
	dir := write(t, "program", "b.ko", "a.ko.xz", "under")
	under, err := newInitramfs(filepath.Join(dir, "under"), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "under"), under, 0o644); err != nil {
		t.Fatal(err)
	}
	archive, err := newInitramfs(filepath.Join(dir, "program"),
		[]string{filepath.Join(dir, "b.ko"), filepath.Join(dir, "a.ko.xz")}, filepath.Join(dir, "under"))
	if err != nil {
		t.Fatal(err)
	}
	over, ok := bytes.CutPrefix(archive, under)
	if !ok {
		t.Fatal("the archive under it does not come first")
	}
	if got, want := listing(t, cpio, over), "init\nmodules\nmodules/00-b.ko\nmodules/01-a.ko.xz\n"; got != want {
		t.Errorf("cpio lists %q, want %q", got, want)
	}
}

func listing(t *testing.T, cpio string, archive []byte) string {
	t.Helper()
	cmd := exec.Command(cpio, "--quiet", "-t")
	cmd.Stdin = bytes.NewReader(archive)
	said, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

// A package says which machine its kernel is for, and flags may disagree.
func TestMachineFor(t *testing.T) {
	for source, want := range map[string]string{
		"": umlMachine, "linux-source-6.1": umlMachine, "linux-image-amd64": qemuMachine,
	} {
		if got := machineFor(source); got != want {
			t.Errorf("%q is for %s, want %s", source, got, want)
		}
	}
	for _, o := range []options{
		{machine: "toaster"},
		{machine: umlMachine, accel: kvm},
		{machine: umlMachine, modules: []string{"binder_linux.ko"}},
	} {
		if _, err := newMachine(t.Context(), o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
	if _, err := accelerators("magic"); err == nil {
		t.Error("an unknown accelerator was accepted")
	}
}

func TestShareOption(t *testing.T) {
	if o := (share{"dir", "/a,b", true}).option(); !strings.Contains(o, "path=/a,,b,") || strings.Contains(o, "readonly") {
		t.Errorf("writable share: %s", o)
	}
	if o := (share{"root", "/", false}).option(); !strings.Contains(o, "readonly=on") {
		t.Errorf("read-only share: %s", o)
	}
}
