package servicemanager_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/bindertest"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/parcel"
	"ipcbench/ipc/binder/servicemanager"
)

func TestMain(m *testing.M) {
	bindertest.Main(m, map[string]bindertest.Role{
		"manager": func(dev device.Device, ready func(), done <-chan struct{}) error {
			return manage(dev, ready, done)
		},
		"manager of Android 16": func(dev device.Device, ready func(), done <-chan struct{}) error {
			return manage(dev, ready, done, servicemanager.ServeRelease(servicemanager.Android16))
		},
		"strict manager": func(dev device.Device, ready func(), done <-chan struct{}) error {
			return manage(dev, ready, done, servicemanager.WithPolicy(strict))
		},
		"server": serve,
	})
}

// strict lets nobody but the server's user do anything with secrets.
func strict(r servicemanager.Request) error {
	if strings.HasPrefix(r.Name, "secret") && r.EUID == uint32(os.Geteuid()) && r.PID > 0 {
		return errors.New("no")
	}
	return nil
}

func manage(dev device.Device, ready func(), done <-chan struct{}, opts ...servicemanager.ManagerOption) error {
	ps, err := binder.Open(dev, binder.WithMaxThreads(0))
	if err != nil {
		return err
	}
	if err := become(ps, opts...); err != nil {
		return errors.Join(err, ps.Close())
	}
	if err := ps.StartThreadPool(); err != nil {
		return err
	}
	ready()
	<-done
	return ps.Close()
}

// become waits until the driver has let go of an earlier manager.
func become(ps *binder.ProcessState, opts ...servicemanager.ManagerOption) error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		_, err := servicemanager.Become(ps, opts...)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			return err
		}
	}
}

// serve registers one object under two names.
func serve(dev device.Device, ready func(), done <-chan struct{}) error {
	ps, err := binder.Open(dev)
	if err != nil {
		return err
	}
	c, err := servicemanager.Connect(ps)
	if err != nil {
		return err
	}
	b := ps.NewBinder("org.example.IServer", nil)
	if err := errors.Join(c.AddService("server", b), c.AddService("shared", b), ps.StartThreadPool()); err != nil {
		return err
	}
	ready()
	<-done
	return errors.Join(c.Close(), ps.Close())
}

// connect starts a manager and connects a client to it.
func connect(t *testing.T, p bindertest.Place, manager string, opts ...servicemanager.ClientOption) (*binder.ProcessState, *servicemanager.Client) {
	t.Helper()
	p.Start(t, manager)
	ps, err := binder.Open(p.Device(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ps.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := servicemanager.Connect(ps, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ps, c
}

func TestServices(t *testing.T) {
	bindertest.Run(t, func(t *testing.T, p bindertest.Place) {
		ps, c := connect(t, p, "manager")
		if names, err := c.ListServices(); len(names) != 0 || err != nil {
			t.Errorf("at first: %v, %v", names, err)
		}
		if _, err := c.CheckService("mine"); !errors.Is(err, binder.NameNotFound) {
			t.Error("a service that is not there:", err)
		}
		mine := ps.NewBinder("org.example.IMine", nil)
		for _, name := range []string{"mine", "a.b/c-d_1"} {
			if err := c.AddService(name, mine); err != nil {
				t.Error(err)
			}
		}
		if names, err := c.ListServices(); !slices.Equal(names, []string{"a.b/c-d_1", "mine"}) || err != nil {
			t.Errorf("then: %v, %v", names, err)
		}
		if b, err := c.CheckService("mine"); b != binder.IBinder(mine) || err != nil {
			t.Errorf("found %v, %v", b, err)
		}
		other := ps.NewBinder("org.example.IOther", nil)
		if err := c.AddService("mine", other); err != nil {
			t.Error("in place of another:", err)
		}
		if b, err := c.CheckService("mine"); b != binder.IBinder(other) || err != nil {
			t.Errorf("found %v, %v", b, err)
		}
	})
}

func TestRefusals(t *testing.T) {
	bindertest.Run(t, func(t *testing.T, p bindertest.Place) {
		ps, c := connect(t, p, "strict manager")
		b := ps.NewBinder("org.example.IMine", nil)
		for _, name := range []string{"", "with space", "ä", strings.Repeat("a", 128)} {
			if err := c.AddService(name, b); !errors.Is(err, &parcel.Exception{Code: parcel.ExceptionIllegalArgument}) {
				t.Errorf("name %q: %v", name, err)
			}
		}
		if err := c.AddService("nobody", nil); !errors.Is(err, &parcel.Exception{Code: parcel.ExceptionIllegalArgument}) {
			t.Error("no object:", err)
		}
		if err := c.AddService("secret", b); !errors.Is(err, &parcel.Exception{Code: parcel.ExceptionSecurity}) {
			t.Error("a name that the policy refuses:", err)
		}
		if err := c.AddService(strings.Repeat("a", 127), b); err != nil {
			t.Error("the longest name:", err)
		}
	})
}

// TestDeadService: a service that dies is forgotten, under all its names.
func TestDeadService(t *testing.T) {
	bindertest.Run(t, func(t *testing.T, p bindertest.Place) {
		_, c := connect(t, p, "manager")
		server := p.Start(t, "server")
		for _, name := range []string{"server", "shared"} {
			if _, err := c.GetService(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		server.Kill()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			names, err := c.ListServices()
			if err != nil {
				t.Fatal(err)
			}
			if len(names) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%v are still registered", names)
			}
		}
	})
}

// TestGetServiceWaits: for a service that comes later, but not for ever.
func TestGetServiceWaits(t *testing.T) {
	bindertest.Run(t, func(t *testing.T, p bindertest.Place) {
		_, c := connect(t, p, "manager")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.GetService(ctx, "server"); !errors.Is(err, binder.NameNotFound) {
			t.Error("a service that does not come:", err)
		}
		found := make(chan error)
		go func() {
			b, err := c.GetService(t.Context(), "server")
			if err == nil {
				err = b.Close()
			}
			found <- err
		}()
		p.Start(t, "server")
		if err := <-found; err != nil {
			t.Error(err)
		}
	})
}

// TestReleases: client and manager agree only if both use the same release's
// codes.
func TestReleases(t *testing.T) {
	bindertest.Run(t, func(t *testing.T, p bindertest.Place) {
		ps, c := connect(t, p, "manager of Android 16", servicemanager.CallRelease(servicemanager.Android16))
		if err := c.AddService("mine", ps.NewBinder("org.example.IMine", nil)); err != nil {
			t.Error(err)
		}
		if names, err := c.ListServices(); !slices.Equal(names, []string{"mine"}) || err != nil {
			t.Errorf("%v, %v", names, err)
		}
		old, err := servicemanager.Connect(ps)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := old.CheckService("mine"); !errors.Is(err, binder.UnknownTransaction) {
			t.Error("codes of another release:", err)
		}
	})
}

func TestNoManager(t *testing.T) {
	bindertest.Run(t, func(t *testing.T, p bindertest.Place) {
		ps, err := binder.Open(p.Device(t))
		if err != nil {
			t.Fatal(err)
		}
		defer ps.Close()
		// The manager of the test before may still be on its way out.
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			_, err := servicemanager.Connect(ps)
			if errors.Is(err, binder.DeadObject) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal("no manager: ", err)
			}
		}
	})
}
