package binder_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/bindertest"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/parcel"
	"ipcbench/ipc/binder/servicemanager"
)

// These tests run the whole runtime between processes: a service manager, a
// server with a test service, and the test as their client. They run on every
// device that places offers.

func TestMain(m *testing.M) { bindertest.Main(m, roles) }

var roles = map[string]bindertest.Role{
	"manager": func(dev device.Device, ready func(), done <-chan struct{}) error {
		return serve(dev, ready, done, false, func(ps *binder.ProcessState) error {
			_, err := servicemanager.Become(ps)
			return err
		}, binder.WithMaxThreads(0))
	},
	"server": func(dev device.Device, ready func(), done <-chan struct{}) error {
		return serve(dev, ready, done, false, registerTestService)
	},
	"server with main thread": func(dev device.Device, ready func(), done <-chan struct{}) error {
		return serve(dev, ready, done, true, registerTestService)
	},
}

// serve runs a server until it is told to end.
func serve(dev device.Device, ready func(), done <-chan struct{}, join bool, setUp func(*binder.ProcessState) error, opts ...binder.Option) error {
	ps, err := openPatiently(dev, setUp, opts...)
	if err != nil {
		return err
	}
	if err := ps.StartThreadPool(); err != nil {
		return err
	}
	joined := make(chan error, 1)
	if join {
		go func() { joined <- ps.JoinThreadPool() }()
	} else {
		joined <- nil
	}
	ready()
	<-done
	return errors.Join(ps.Close(), <-joined)
}

// openPatiently tries again while the driver still lets go of an earlier
// context manager, which the kernel does at its leisure.
func openPatiently(dev device.Device, setUp func(*binder.ProcessState) error, opts ...binder.Option) (*binder.ProcessState, error) {
	ps, err := binder.Open(dev, opts...)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := setUp(ps)
		if err == nil {
			return ps, nil
		}
		if !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			ps.Close()
			return nil, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func registerTestService(ps *binder.ProcessState) error {
	c, err := servicemanager.Connect(ps)
	if err != nil {
		return err
	}
	defer c.Close()
	s := &testService{ps: ps}
	for i, name := range []string{"test", "bytes"} {
		b := []*binder.Binder{ps.NewBinder(testDescriptor, s), ps.NewBytesBinder(reverse{})}[i]
		if err := c.AddService(name, b); err != nil {
			return err
		}
	}
	return nil
}

// run runs a test in every place, each time with a service manager and a
// server of its own.
func run(t *testing.T, server string, test func(t *testing.T, w *world)) {
	bindertest.Run(t, func(t *testing.T, p bindertest.Place) {
		p.Start(t, "manager")
		w := &world{server: p.Start(t, server)}
		ps, err := binder.Open(p.Device(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := ps.Close(); err != nil {
				t.Error("close:", err)
			}
		})
		if err := ps.StartThreadPool(); err != nil {
			t.Fatal(err)
		}
		w.ps = ps
		w.remote = w.find(t, "test")
		test(t, w)
	})
}

type world struct {
	ps     *binder.ProcessState
	server *bindertest.Process
	remote binder.IBinder
}

func (w *world) find(t *testing.T, name string) binder.IBinder {
	t.Helper()
	c, err := servicemanager.Connect(w.ps)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := c.GetService(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// call calls the test service and fails the test when that fails.
func (w *world) call(t testing.TB, code uint32, write func(*parcel.Parcel)) *parcel.Parcel {
	t.Helper()
	var data parcel.Parcel
	defer data.Reset()
	data.WriteInterfaceToken(testDescriptor)
	if write != nil {
		write(&data)
	}
	reply := new(parcel.Parcel)
	t.Cleanup(reply.Reset)
	if err := w.remote.Transact(code, &data, reply, 0); err != nil {
		t.Fatalf("call %d: %v", code, err)
	}
	if err := reply.ReadException(); err != nil {
		t.Fatalf("call %d: %v", code, err)
	}
	return reply
}

func (w *world) callInt(t testing.TB, code uint32) int {
	t.Helper()
	v, err := w.call(t, code, nil).ReadInt32()
	if err != nil {
		t.Fatal(err)
	}
	return int(v)
}
