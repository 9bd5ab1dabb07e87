package transport

import (
	"ipcbench/ipc"
	"ipcbench/ipc/binder/device"
)

// Context makes and opens the Binder contexts that a transport of this package
// runs over, for those who want the device itself.
type Context struct {
	name     string
	platform platform
}

// Contexts are those of each device, under the name of the transport that
// carries plain payload over it.
func Contexts() []Context {
	var all []Context
	for _, t := range transportList() {
		if _, isPlain := t.carrier.(*plain); isPlain && !t.info.RuntimeSafe {
			all = append(all, Context{t.info.Name, t.platform})
		}
	}
	return all
}

// Name of the transport.
func (c Context) Name() string { return c.name }

// Create makes a context of its own and tells its place; remove undoes it. The
// error wraps errors.ErrUnsupported where there is no such device here.
func (c Context) Create() (place string, remove func() error, err error) {
	if err := c.platform.check(); err != nil {
		return "", nil, err
	}
	made, err := c.platform.create()
	if err == nil && made.broker != nil {
		made.remove, err = serveHere(made.broker)
	}
	return made.place, made.remove, err
}

// Open opens the device of a place, in any process. It waits by blocking, and
// through the Go scheduler. Where it is an io.Closer, the caller closes it.
func (c Context) Open(place string) (device.Device, error) {
	return c.platform.open(place, ipc.Block, false)
}
