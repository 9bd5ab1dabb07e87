package claims

import (
	"errors"
	"fmt"

	"ipcbench/ipc/binder/device"
)

// Subject is a Binder device that claims are tried on.
type Subject interface {
	// Name of the column, and of the transport that runs over the device:
	// "binder", "binder-daemon", "binder-kernel".
	Name() string
	// Create makes a Binder context of its own and tells its place; remove
	// undoes it. An error that wraps errors.ErrUnsupported says why there is
	// no such device here.
	Create() (place string, remove func() error, err error)
	// Open opens the device of a place, in any process. Where the device is an
	// io.Closer, the caller closes it.
	Open(place string) (device.Device, error)
}

// subjectNames are the columns of claims about Binder.
func (b *Bench) subjectNames() (names []string) {
	for _, s := range b.Subjects {
		names = append(names, s.Name())
	}
	return names
}

func (b *Bench) subject(name string) (Subject, error) {
	for _, s := range b.Subjects {
		if s.Name() == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("no subject %q: %w", name, errors.ErrUnsupported)
}
