package binder_test

import (
	"testing"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/device/inproc"
	"ipcbench/ipc/binder/parcel"
)

// echoInParcel answers with the byte array that it is sent.
func echoInParcel(call *binder.Call) error {
	b, err := call.Data.NextByteArray()
	call.Reply.WriteByteArray(b)
	return err
}

// pair is a server with a single looper, which is the context manager, and an
// attached thread of a client, on one inproc device.
func pair(t testing.TB, object func(*binder.ProcessState) *binder.Binder) *binder.IPCThreadState {
	t.Helper()
	dev, err := inproc.New(inproc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server, err := binder.Open(dev.As(inproc.Identity{PID: 1}), binder.WithMaxThreads(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.BecomeContextManager(object(server)); err != nil {
		t.Fatal(err)
	}
	if err := server.StartThreadPool(); err != nil {
		t.Fatal(err)
	}
	client, err := binder.Open(dev.As(inproc.Identity{PID: 2}))
	if err != nil {
		t.Fatal(err)
	}
	thread, err := client.Attach()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		thread.Detach()
		for _, close := range []func() error{client.Close, server.Close, dev.Close} {
			if err := close(); err != nil {
				t.Error(err)
			}
		}
	})
	return thread
}

func callBytes(t testing.TB) func() {
	thread := pair(t, func(ps *binder.ProcessState) *binder.Binder { return ps.NewBytesBinder(reverse{}) })
	payload := make([]byte, 64)
	return func() {
		if _, err := thread.TransactBytes(0, 2, payload, 0); err != nil {
			t.Fatal(err)
		}
	}
}

func callParcel(t testing.TB) func() {
	thread := pair(t, func(ps *binder.ProcessState) *binder.Binder {
		return ps.NewBinder("", binder.HandlerFunc(echoInParcel))
	})
	var data, reply parcel.Parcel
	t.Cleanup(reply.Reset)
	payload := make([]byte, 64)
	return func() {
		data.Reset()
		reply.Reset()
		data.WriteByteArray(payload)
		if err := thread.Transact(0, 1, &data, &reply, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAllocs: neither caller nor looper allocates, nor does the driver.
func TestAllocs(t *testing.T) {
	for name, call := range map[string]func(testing.TB) func(){"bytes": callBytes, "parcel": callParcel} {
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(500, call(t)); n != 0 {
				t.Errorf("%v allocations a call", n)
			}
		})
	}
}

func BenchmarkTransactBytes(b *testing.B) {
	call := callBytes(b)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}

func BenchmarkTransact(b *testing.B) {
	call := callParcel(b)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}
