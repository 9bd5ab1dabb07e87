package binder_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/parcel"
	"ipcbench/ipc/binder/servicemanager"
)

func TestStandardTransactions(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		if err := w.remote.Ping(); err != nil {
			t.Error("ping:", err)
		}
		if d, err := w.remote.InterfaceDescriptor(); d != testDescriptor || err != nil {
			t.Errorf("descriptor %q, %v", d, err)
		}
		var data, reply parcel.Parcel
		defer reply.Reset()
		if err := w.remote.Transact(binder.DebugPIDTransaction, nil, &reply, 0); err != nil {
			t.Error("pid:", err)
		}
		if pid, _ := reply.ReadInt32(); pid <= 0 {
			t.Errorf("pid %d", pid)
		}
		data.WriteInterfaceToken(testDescriptor)
		if err := w.remote.Transact(999, &data, nil, 0); !errors.Is(err, binder.UnknownTransaction) {
			t.Error("unknown code:", err)
		}
		if err := w.remote.Transact(echo, nil, nil, 0); !errors.Is(err, binder.NotEnoughData) {
			t.Error("no token:", err)
		}
		if err := w.remote.Transact(throw, &data, &reply, 0); err != nil {
			t.Error("exception:", err)
		}
		if err := reply.ReadException(); !errors.Is(err, &parcel.Exception{Code: parcel.ExceptionServiceSpecific, Specific: 5}) {
			t.Error("exception:", err)
		}
	})
}

func TestEcho(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		for _, n := range []int{0, 1, 7, 4096, 65536, 500_000} {
			sent := bytes.Repeat([]byte{byte(n), 1, 2}, n/3+1)[:n]
			reply := w.call(t, echo, func(p *parcel.Parcel) { p.WriteByteArray(sent) })
			if got, err := reply.NextByteArray(); !bytes.Equal(got, sent) || err != nil {
				t.Errorf("%d bytes come back as %d, %v", n, len(got), err)
			}
			reply.Reset()
		}
		var data parcel.Parcel
		data.WriteInterfaceToken(testDescriptor)
		data.WriteByteArray(make([]byte, binder.DefaultRegionSize()))
		if err := w.remote.Transact(echo, &data, nil, 0); !errors.Is(err, binder.FailedTransaction) || !errors.Is(err, unix.ENOSPC) {
			t.Error("more than the region holds:", err)
		}
	})
}

func TestSender(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		reply := w.call(t, sender, nil)
		pid, _ := reply.ReadInt32()
		euid, err := reply.ReadUint32()
		if int(pid) != os.Getpid() || int(euid) != os.Geteuid() || err != nil {
			t.Errorf("pid %d, euid %d, %v", pid, euid, err)
		}
	})
}

// callBack has the server call b with v.
func (w *world) callBack(b binder.IBinder, v int32) (int32, error) {
	var data, reply parcel.Parcel
	defer data.Reset()
	defer reply.Reset()
	data.WriteInterfaceToken(testDescriptor)
	binder.WriteStrongBinder(&data, b)
	data.WriteInt32(v)
	if err := w.remote.Transact(callBack, &data, &reply, 0); err != nil {
		return 0, err
	}
	if err := reply.ReadException(); err != nil {
		return 0, err
	}
	return reply.ReadInt32()
}

// TestNested: a call back to the process that waits is served by the waiting
// thread, and so on.
func TestNested(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var served []int
		var mine *binder.Binder
		mine = w.ps.NewBinder(testDescriptor, binder.HandlerFunc(func(c *binder.Call) error {
			served = append(served, unix.Gettid())
			err := c.Data.EnforceInterface(testDescriptor)
			v, err2 := c.Data.ReadInt32()
			if v > 0 {
				v, err2 = w.callBack(mine, v-1)
			}
			c.Reply.WriteNoException()
			c.Reply.WriteInt32(v + 1)
			return errors.Join(err, err2)
		}))
		if v, err := w.callBack(mine, 3); v != 4 || err != nil {
			t.Errorf("got %d, %v", v, err)
		}
		if want := slices.Repeat([]int{unix.Gettid()}, 4); !slices.Equal(served, want) {
			t.Errorf("served by threads %v, want %v", served, want)
		}
	})
}

func TestOneway(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		var want []int32
		for i := range int32(50) {
			want = append(want, i)
			var data parcel.Parcel
			data.WriteInterfaceToken(testDescriptor)
			data.WriteInt32(i)
			if err := w.remote.Transact(count, &data, nil, abi.TF_ONE_WAY); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "all one-way calls arrive, in order", func() bool {
			got, err := w.call(t, counted, nil).ReadInt32Array()
			return err == nil && slices.Equal(got, want)
		})
	})
}

// eventually waits for something that happens in another process.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: ", what)
		}
	}
}

func TestDescriptors(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		r, wr, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		w.call(t, writeTo, func(p *parcel.Parcel) { p.WriteFileDescriptor(int(wr.Fd()), false) }).Reset()
		wr.Close()
		if b, err := io.ReadAll(r); string(b) != "written" || err != nil {
			t.Errorf("through the descriptor sent: %q, %v", b, err)
		}
		reply := w.call(t, readFrom, nil)
		fd, err := reply.ReadUniqueFileDescriptor()
		reply.Reset()
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), "received")
		defer f.Close()
		if b, err := io.ReadAll(f); string(b) != "given" || err != nil {
			t.Errorf("through the descriptor received: %q, %v", b, err)
		}
	})
}

// TestIdentity: an object that comes home is itself, and a Proxy that is sent
// twice is one.
func TestIdentity(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		mine := w.ps.NewBinder(testDescriptor, nil)
		write := func(p *parcel.Parcel) { binder.WriteStrongBinder(p, mine) }
		w.call(t, keep, write)
		if same, err := w.call(t, same, write).ReadBool(); !same || err != nil {
			t.Errorf("the server sees another object: %v", err)
		}
		home, err := w.ps.ReadStrongBinder(w.call(t, keepBack, nil))
		if home != binder.IBinder(mine) || err != nil {
			t.Errorf("%v comes home, %v", home, err)
		}
		again := w.find(t, "test")
		defer again.Close()
		if again != w.remote {
			t.Error("two Proxies of one object")
		}
	})
}

// TestLifetime: an object lives as long as a Proxy of it, closed or collected.
func TestLifetime(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		take := func() binder.IBinder {
			reply := w.call(t, give, nil)
			defer reply.Reset()
			b, err := w.ps.ReadStrongBinder(reply)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		closed, kept := take(), take()
		take()
		eventually(t, "the collected one dies", func() bool {
			runtime.GC()
			return w.callInt(t, living) == 2
		})
		if err := kept.Ping(); err != nil {
			t.Error("a living object:", err)
		}
		closed.Close()
		eventually(t, "the closed one dies", func() bool { return w.callInt(t, living) == 1 })
		if err := kept.Ping(); err != nil {
			t.Error("a living object:", err)
		}
		kept.Close()
		eventually(t, "the last one dies", func() bool { return w.callInt(t, living) == 0 })
	})
}

func TestDeathNotice(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		died := make(chan struct{})
		link, err := w.remote.LinkToDeath(func() { close(died) })
		if err != nil {
			t.Fatal(err)
		}
		unlinked, err := w.remote.LinkToDeath(func() { t.Error("an undone link is told") })
		if err != nil || !unlinked.Unlink() {
			t.Fatal("unlink:", err)
		}
		w.server.Kill()
		select {
		case <-died:
		case <-time.After(20 * time.Second):
			t.Fatal("no notice")
		}
		if link.Unlink() || w.remote.Alive() {
			t.Error("the object lives on")
		}
		if err := w.remote.Ping(); !errors.Is(err, binder.DeadObject) {
			t.Error("ping:", err)
		}
		c, err := servicemanager.Connect(w.ps)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		eventually(t, "the service manager forgets the service", func() bool {
			_, err := c.CheckService("test")
			return errors.Is(err, binder.NameNotFound)
		})
	})
}

// TestPoolSize: as many calls run at once as there are threads, and the driver
// asks for just as many. 32 callers go on until the pool has grown to its size,
// and some more.
func TestPoolSize(t *testing.T) {
	for _, tt := range []struct {
		server string
		want   int
	}{{"server", 16}, {"server with main thread", 17}} {
		run(t, tt.server, func(t *testing.T, w *world) {
			ms := int32(1) // a device that is slow may not have so many under way
			eventually(t, fmt.Sprintf("%d calls at once", tt.want), func() bool {
				napAll(t, w, 32, 5, ms)
				ms *= 2
				return w.callInt(t, peak) >= tt.want
			})
			napAll(t, w, 32, 5, ms)
			reply := w.call(t, peak, nil)
			most, _ := reply.ReadInt32()
			spawned, err := reply.ReadInt32()
			if int(most) != tt.want || spawned != 15 || err != nil {
				t.Errorf("%s: at most %d at once, want %d; %d loopers asked for, want 15; %v",
					tt.server, most, tt.want, spawned, err)
			}
		})
	}
}

// napAll has callers call a handler that sleeps, each a number of times.
func napAll(t *testing.T, w *world, callers, times int, ms int32) {
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			var data parcel.Parcel
			data.WriteInterfaceToken(testDescriptor)
			data.WriteInt32(ms)
			for range times {
				if err := w.remote.Transact(nap, &data, nil, 0); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestPoolThroughput: 32 callers of a pool of 16 threads get at least 0.9 of the
// throughput that 4 get.
func TestPoolThroughput(t *testing.T) {
	if os.Getenv("IPCBENCH_LONG") == "" {
		t.Skip("measures: IPCBENCH_LONG=1")
	}
	run(t, "server", func(t *testing.T, w *world) {
		napAll(t, w, 32, 20, 1) // the pool grows
		rate := func(callers int) float64 {
			const calls = 4000
			begun := time.Now()
			napAll(t, w, callers, calls/callers, 1)
			return calls / time.Since(begun).Seconds()
		}
		few, many := rate(4), rate(32)
		t.Logf("4 callers: %.0f calls/s, 32: %.0f", few, many)
		if many < 0.9*few {
			t.Errorf("%.0f calls/s with 32 callers, %.0f with 4", many, few)
		}
	})
}

// manyCalls is how many calls TestManyCallers makes in its long form. A million go
// between processes; what the other devices add is seen in fewer.
var manyCalls = map[string]int{"shared": 1_000_000, "inproc": 100_000, "daemon": 20_000, "kernel": 100_000}

// TestManyCallers: many goroutines call at once, each gets its own answer, and no
// call is served twice.
func TestManyCallers(t *testing.T) {
	const callers = 100
	run(t, "server", func(t *testing.T, w *world) {
		each := 50
		if os.Getenv("IPCBENCH_LONG") != "" {
			each = manyCalls[w.ps.Device().Name()] / callers
		}
		var all sync.WaitGroup
		for i := range int32(callers) {
			all.Go(func() {
				for j := range int32(each) {
					if !isEchoed(t, w, i<<16|j) {
						return
					}
				}
			})
		}
		all.Wait()
		if n := w.callInt(t, echoes); n != callers*each {
			t.Errorf("%d calls were served %d times", callers*each, n)
		}
	})
}

func isEchoed(t *testing.T, w *world, v int32) bool {
	var data, reply parcel.Parcel
	defer reply.Reset()
	data.WriteInterfaceToken(testDescriptor)
	data.WriteInt32(v)
	if err := w.remote.Transact(echoInt, &data, &reply, 0); err != nil {
		t.Error(err)
		return false
	}
	err := reply.ReadException()
	got, err2 := reply.ReadInt32()
	if got != v || err != nil || err2 != nil {
		t.Errorf("%d comes back as %d, %v, %v", v, got, err, err2)
		return false
	}
	return true
}

func TestBytes(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		handle := w.find(t, "bytes").(*binder.Proxy).Handle()
		thread, err := w.ps.Attach()
		if err != nil {
			t.Fatal(err)
		}
		defer thread.Detach()
		for range 3 {
			if b, err := thread.TransactBytes(handle, 1, []byte("abc"), 0); string(b) != "cba" || err != nil {
				t.Errorf("reversed: %q, %v", b, err)
			}
			if b, err := thread.TransactBytes(handle, 2, []byte("abc"), 0); string(b) != "abc" || err != nil {
				t.Errorf("in place: %q, %v", b, err)
			}
		}
		if b, err := thread.TransactBytes(handle, 1, nil, 0); len(b) != 0 || err != nil {
			t.Errorf("nothing: %q, %v", b, err)
		}
		if _, err := thread.TransactBytes(handle, 3, nil, 0); !errors.Is(err, binder.BadValue) {
			t.Error("error:", err)
		}
		if err := w.find(t, "bytes").Ping(); err != nil {
			t.Error("ping:", err)
		}
	})
}

// TestShutdown: what was received can be read until Close, although no call
// begins any more.
func TestShutdown(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		handle := w.find(t, "bytes").(*binder.Proxy).Handle()
		thread, err := w.ps.Attach()
		if err != nil {
			t.Fatal(err)
		}
		defer thread.Detach()
		reply, err := thread.TransactBytes(handle, 1, []byte("abc"), 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.ps.Shutdown(); err != nil {
				t.Error("shut down:", err)
			}
			if string(reply) != "cba" {
				t.Errorf("received %q", reply)
			}
			if _, err := thread.TransactBytes(handle, 1, nil, 0); !errors.Is(err, binder.ErrClosed) {
				t.Error("call:", err)
			}
		}
	})
}

// TestCloseInService: a server that closes while it is called ends its calls.
func TestCloseInService(t *testing.T) {
	run(t, "server", func(t *testing.T, w *world) {
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				var data parcel.Parcel
				data.WriteInterfaceToken(testDescriptor)
				data.WriteInt32(10)
				for w.remote.Transact(nap, &data, nil, 0) == nil {
				}
			})
		}
		eventually(t, "calls run", func() bool { return w.callInt(t, peak) > 1 })
		if err := w.server.Stop(); err != nil {
			t.Error(err)
		}
		callers.Wait()
		if err := w.remote.Ping(); !errors.Is(err, binder.DeadObject) {
			t.Error("ping:", err)
		}
	})
}
