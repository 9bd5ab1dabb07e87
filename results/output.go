package results

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Output is where a report goes: a file that appears whole or not at all, or a
// stream. It is opened before anything is measured, so that an output that
// cannot be written is found out in time.
type Output struct {
	io.Writer
	file *os.File // nil for a stream that is not ours to close
	// beside are the files that appear together with this one.
	beside []*Output
	// temporary and final names; both empty where the file is written in
	// place, as a device or a named pipe must be.
	temporary, final string
}

// OpenOutput prepares the file of a name; for the empty name and "-" it is the
// stream. The caller ends it with Commit or Discard.
func OpenOutput(name string, stream io.Writer) (*Output, error) {
	if name == "" || name == "-" {
		return &Output{Writer: stream}, nil
	}
	final := name
	if target, err := filepath.EvalSymlinks(name); err == nil {
		final = target
	}
	mode := fs.FileMode(0o666)
	switch info, err := os.Stat(final); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("open %s: is a directory", name)
	case !info.Mode().IsRegular():
		return openInPlace(final)
	default:
		if err := writable(final); err != nil {
			return nil, err
		}
		mode = info.Mode().Perm()
	}
	return openTemporary(final, mode)
}

func openInPlace(name string) (*Output, error) {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return &Output{Writer: f, file: f}, nil
}

// writable reports why a file that is there may not be replaced; a rename alone
// would not ask.
func writable(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// openTemporary opens a hidden file beside the final one. os.CreateTemp would
// take the permissions from everybody but the owner.
func openTemporary(final string, mode fs.FileMode) (*Output, error) {
	name := filepath.Join(filepath.Dir(final), fmt.Sprintf(".%s.%08x", filepath.Base(final), rand.Uint32()))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	var failed *fs.PathError
	if errors.As(err, &failed) {
		failed.Path = final // the name that the user knows
	}
	if err != nil {
		return nil, err
	}
	return &Output{Writer: f, file: f, temporary: name, final: final}, nil
}

// Companion is what a renderer's writer may be in addition: a file beside which
// others can stand.
type Companion interface {
	// Beside opens a file for writing whose name is the writer's own, without
	// its extension, and the suffix; name is relative to the writer's folder.
	// For a stream, a device or a pipe it returns nothing and no error.
	Beside(suffix string) (w io.Writer, name string, err error)
}

// Beside implements Companion. The file appears when the output does.
func (o *Output) Beside(suffix string) (io.Writer, string, error) {
	if o.temporary == "" {
		return nil, "", nil
	}
	name := strings.TrimSuffix(o.final, filepath.Ext(o.final)) + suffix
	other, err := OpenOutput(name, nil)
	if err != nil {
		return nil, "", err
	}
	o.beside = append(o.beside, other)
	return other, filepath.Base(name), nil
}

// Commit makes what was written appear under the final name, after what stands
// beside it.
func (o *Output) Commit() error {
	if o.file == nil {
		return nil
	}
	for _, other := range o.beside {
		if err := other.Commit(); err != nil {
			return err
		}
	}
	if o.temporary == "" {
		return o.file.Close()
	}
	err := errors.Join(o.file.Sync(), o.file.Close())
	if err == nil {
		err = os.Rename(o.temporary, o.final)
	}
	if err != nil {
		os.Remove(o.temporary)
	}
	return err
}

// Discard leaves the final name as it was. After Commit it does nothing.
func (o *Output) Discard() {
	if o.temporary == "" {
		return
	}
	for _, other := range o.beside {
		other.Discard()
	}
	o.file.Close()
	os.Remove(o.temporary)
}
