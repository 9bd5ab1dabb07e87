package claims

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"ipcbench/harness/claims/cast"
	"ipcbench/internal/sys"
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/parcel"
)

// session is a Binder context of its own with a servant in it, and this process
// as its client. The client's region is where replies arrive, so what a receiver
// can see of its region is seen here.
type session struct {
	subject Subject
	place   string
	remove  func() error
	servant *cast.Actor
	// first is the servant's log when it was ready.
	first servantLog

	device *remembering
	ps     *binder.ProcessState
	thread *binder.IPCThreadState
}

// remembering is a device that remembers the file that was opened last, and its
// mapping.
type remembering struct {
	device.Device
	file    device.File
	mapping device.Mapping
}

// Open opens the device.
func (r *remembering) Open(flags int) (device.File, error) {
	f, err := r.Device.Open(flags)
	if err != nil {
		return nil, err
	}
	r.file = f
	return &remembered{f, r}, nil
}

type remembered struct {
	device.File
	by *remembering
}

// Mmap maps the file.
func (f *remembered) Mmap(length, prot, flags int) (device.Mapping, error) {
	m, err := f.File.Mmap(length, prot, flags)
	f.by.mapping = m
	return m, err
}

// openSession makes a context, a servant and a client of it, whose calling
// goroutine is attached. close must follow, on the same goroutine. Errors wrap
// errors.ErrUnsupported where the subject is not there.
func openSession(subject Subject, props servantProps, options ...binder.Option) (*session, error) {
	s, err := openContext(subject)
	if err != nil {
		return nil, err
	}
	if err = s.startServant(props); err == nil {
		err = s.join(options...)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// openContext makes a context with nobody in it.
func openContext(subject Subject) (*session, error) {
	place, remove, err := subject.Create()
	if err != nil {
		return nil, err
	}
	return &session{subject: subject, place: place, remove: remove}, nil
}

func (s *session) startServant(props servantProps) (err error) {
	if s.servant, err = s.start(servantPart, props); err != nil {
		return err
	}
	return s.servant.Hear(&s.first)
}

// start starts another actor on the session's device.
func (s *session) start(part string, props any) (*cast.Actor, error) {
	return cast.Start(cast.Role{Part: part, Subject: s.subject.Name(), Place: s.place, Props: props})
}

// join makes this process a client.
func (s *session) join(options ...binder.Option) error {
	dev, err := s.subject.Open(s.place)
	if err != nil {
		return err
	}
	return s.use(dev, options...)
}

// use makes this process a client through an open device.
func (s *session) use(dev device.Device, options ...binder.Option) (err error) {
	s.device = &remembering{Device: dev}
	if s.ps, err = binder.Open(s.device, options...); err != nil {
		return err
	}
	s.thread, err = s.ps.Attach()
	return err
}

func (s *session) close() error {
	var errs []error
	if s.thread != nil {
		s.thread.Detach()
	}
	if s.ps != nil {
		errs = append(errs, s.ps.Close())
	}
	if s.device != nil {
		errs = append(errs, closeDevice(s.device.Device))
	}
	if s.servant != nil {
		errs = append(errs, s.servant.End())
	}
	return errors.Join(append(errs, s.remove())...)
}

// log is what the servant has noted so far.
func (s *session) log() (log servantLog, err error) {
	err = s.servant.Ask(servantOrder{}, &log)
	return log, err
}

// produce has the servant answer with size bytes, whose 8-byte words are stamp,
// stamp+1 and so on. The reply lies in this process's region until it is reset.
func (s *session) produce(size int, stamp uint64) (*parcel.Parcel, error) {
	var data parcel.Parcel
	data.WriteInt32(int32(size))
	data.WriteUint64(stamp)
	reply := new(parcel.Parcel)
	return reply, s.thread.Transact(0, codeProduce, &data, reply, 0)
}

// free gives the buffer of a product back at once, without resetting the Parcel.
func (s *session) free(product *parcel.Parcel) { s.ps.FreeBuffer(sys.Address(product.Bytes())) }

// fillStamps writes the words of a product.
func fillStamps(b []byte, stamp uint64) {
	for i := 0; i+8 <= len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], stamp+uint64(i/8))
	}
}

// view is a text that the driver shows of itself. An error wraps
// errors.ErrUnsupported where it does not.
func (s *session) view(name string) (string, error) {
	viewer, ok := s.device.Device.(device.Viewer)
	if !ok {
		return "", fmt.Errorf("the driver of %s does not show its state: %w", s.subject.Name(), errors.ErrUnsupported)
	}
	return viewer.View(name)
}

// closing is for defer: what end returns joins the error.
func closing(end func() error, err *error) { *err = errors.Join(*err, end()) }

// await looks every few milliseconds until done says so, for patience at most.
// It returns whether it was.
func await(done func() (bool, error)) (bool, error) {
	const patience, interval = 30 * time.Second, 3 * time.Millisecond
	for end := time.Now().Add(patience); ; time.Sleep(interval) {
		ok, err := done()
		if ok || err != nil || time.Now().After(end) {
			return ok, err
		}
	}
}
