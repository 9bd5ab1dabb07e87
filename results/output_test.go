package results

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// content of a file, or "absent".
func content(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return "absent"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOutputAppearsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	write := func(text string) *Output {
		t.Helper()
		o, err := OpenOutput(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(o, text); err != nil {
			t.Fatal(err)
		}
		return o
	}
	o := write("first")
	if got := content(t, name); got != "absent" {
		t.Errorf("before Commit there is %q", got)
	}
	if err := o.Commit(); err != nil {
		t.Fatal(err)
	}
	o.Discard()
	write("second").Discard()
	if got := content(t, name); got != "first" {
		t.Errorf("after Discard there is %q", got)
	}
	if err := os.Chmod(name, 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("out", link); err != nil {
		t.Fatal(err)
	}
	name, target := link, name
	if err := write("third").Commit(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(target)
	if err != nil {
		t.Fatal(err)
	}
	if content(t, target) != "third" || info.Mode() != 0o640 {
		t.Errorf("%v %q through a link", info.Mode(), content(t, target))
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestOutputToStreamsAndDevices(t *testing.T) {
	var stream bytes.Buffer
	for _, name := range []string{"", "-", os.DevNull} {
		o, err := OpenOutput(name, &stream)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(o, "x")
		if err := o.Commit(); err != nil {
			t.Error(err)
		}
		o.Discard()
	}
	if stream.String() != "xx" {
		t.Errorf("the stream has %q", stream.String())
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode()&os.ModeDevice == 0 {
		t.Errorf("the device was replaced: %v %v", info, err)
	}
}

func TestOutputThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{dir, filepath.Join(dir, "absent", "out"), "/proc/self/out"} {
		if o, err := OpenOutput(name, nil); err == nil {
			o.Discard()
			t.Errorf("%s opened", name)
		}
	}
}
