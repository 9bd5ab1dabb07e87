package claims

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
)

// traceEvent is something that a thread did, or began or ended, in the life of a
// transaction.
type traceEvent struct {
	// At is a time of CLOCK_MONOTONIC, in nanoseconds.
	At       int64 `json:"at"`
	PID, TID int32
	// Name is a device.Step's, or "enter" or "return" of an ioctl.
	Name string `json:"name"`
	// Detail is what the ioctl carried.
	Detail string `json:"detail,omitempty"`
	// Owner is the process in whose region the buffer lies that a step is about,
	// Buffer its address there, and Bytes its payload.
	Owner  int32  `json:"owner,omitempty"`
	Buffer uint64 `json:"buffer,omitempty"`
	Bytes  uint64 `json:"bytes,omitempty"`
}

// crossing reports an ioctl that begins or ends, as opposed to a driver's step.
func (e traceEvent) crossing() bool { return e.Name == "enter" || e.Name == "return" }

// what is the event in words.
func (e traceEvent) what() string {
	switch e.Name {
	case "enter":
		return "ioctl"
	case "return":
		return "ioctl returns"
	}
	return e.Name
}

// tracer is a device that notes what passes through it: each ioctl that carries
// commands, and the driver's own steps where it tells of them.
type tracer struct {
	device.Device
	// tells: the driver's own steps are among the events.
	tells bool

	mu     sync.Mutex
	events []traceEvent
}

func newTracer(dev device.Device) *tracer {
	t := &tracer{Device: dev}
	if teller, ok := dev.(device.Tracer); ok {
		t.tells = true
		teller.Trace(func(s device.Step) {
			t.add(traceEvent{TID: s.Thread, Name: s.Name, Owner: s.Owner, Buffer: s.Buffer, Bytes: s.Size})
		})
	}
	return t
}

func (t *tracer) add(e traceEvent) {
	e.At, e.PID = sys.Monotonic(), int32(os.Getpid())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, e)
}

// all are the events so far.
func (t *tracer) all() []traceEvent {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.events)
}

// View is described by device.Viewer.
func (t *tracer) View(name string) (string, error) {
	viewer, ok := t.Device.(device.Viewer)
	if !ok {
		return "", fmt.Errorf("no view of %s: %w", t.Name(), errors.ErrUnsupported)
	}
	return viewer.View(name)
}

// Open opens the device for files that are traced.
func (t *tracer) Open(flags int) (device.File, error) {
	f, err := t.Device.Open(flags)
	if err != nil {
		return nil, err
	}
	return &tracedFile{f, t}, nil
}

// Close lets go of the device.
func (t *tracer) Close() error { return closeDevice(t.Device) }

type tracedFile struct {
	device.File
	tracer *tracer
}

// Dup is the file once more, traced as well.
func (f *tracedFile) Dup() (device.File, error) {
	dup, err := f.File.Dup()
	if err != nil {
		return nil, err
	}
	return &tracedFile{dup, f.tracer}, nil
}

// Ioctl notes what goes in and what comes out.
func (f *tracedFile) Ioctl(thread int32, cmd uint32, arg uintptr) error {
	if abi.Ioctl(cmd) != abi.BINDER_WRITE_READ {
		return f.File.Ioctl(thread, cmd, arg)
	}
	var bwr abi.WriteRead
	bwr.Decode(sys.BytesAt(arg, abi.SizeofWriteRead))
	f.tracer.add(traceEvent{TID: thread, Name: "enter",
		Detail: codes[abi.Command](bwr.WriteBuffer+bwr.WriteConsumed, bwr.WriteSize-bwr.WriteConsumed)})
	err := f.File.Ioctl(thread, cmd, arg)
	bwr.Decode(sys.BytesAt(arg, abi.SizeofWriteRead))
	detail := codes[abi.Return](bwr.ReadBuffer, bwr.ReadConsumed)
	if err != nil {
		detail = err.Error()
	}
	f.tracer.add(traceEvent{TID: thread, Name: "return", Detail: detail})
	return err
}

// codes are the names of the commands or returns in a stream of this process.
func codes[C interface {
	~uint32
	fmt.Stringer
}](address, length uint64) (names string) {
	if length == 0 {
		return ""
	}
	d := abi.NewDecoder[C](sys.BytesAt(uintptr(address), int(length)))
	for {
		code, _, err := d.Next()
		if err != nil {
			return names
		}
		if names != "" {
			names += " "
		}
		names += code.String()
	}
}
