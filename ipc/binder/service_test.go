package binder_test

import (
	"bytes"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/parcel"
)

const testDescriptor = "org.example.ITest"

// Calls of the test service.
const (
	echo     = iota + 1 // byte array -> byte array
	sender              // -> pid, euid
	callBack            // binder, int -> int: calls echoInt of the binder
	echoInt             // int -> int
	echoes              // -> how many times echoInt was served
	throw               // -> exception 5 "no"
	nap                 // int32 -> sleeps as many ms
	peak                // -> how many naps were going on at once
	count               // one-way, int: remembers it
	counted             // -> int array
	give                // -> a new object
	living              // -> how many objects that were given still live
	writeTo             // descriptor: writes "written" to it
	readFrom            // -> descriptor from which "given" can be read
	keep                // binder: keeps it
	same                // binder -> is it the one that was kept
	keepBack            // -> the binder that was kept
)

type testService struct {
	ps           *binder.ProcessState
	naps, napMax atomic.Int32
	echoes       atomic.Int32
	living       atomic.Int32
	mu           sync.Mutex
	counted      []int32
	kept         binder.IBinder
}

func (s *testService) OnTransact(c *binder.Call) error {
	if err := c.Data.EnforceInterface(testDescriptor); err != nil {
		return err
	}
	serve, ok := map[uint32]func(*binder.Call) error{
		echo: s.echo, sender: s.sender, callBack: s.callBack, echoInt: s.echoInt, echoes: s.echoesSoFar,
		throw: s.throw, nap: s.nap, peak: s.peak, count: s.count, counted: s.countedSoFar, give: s.give, living: s.stillLiving,
		writeTo: s.writeTo, readFrom: s.readFrom, keep: s.keep, same: s.same, keepBack: s.keepBack,
	}[c.Code]
	if !ok {
		return binder.UnknownTransaction
	}
	c.Reply.WriteNoException()
	return serve(c)
}

func (s *testService) echo(c *binder.Call) error {
	b, err := c.Data.NextByteArray()
	c.Reply.WriteByteArray(b)
	return err
}

func (s *testService) sender(c *binder.Call) error {
	c.Reply.WriteInt32(c.SenderPID)
	c.Reply.WriteUint32(c.SenderEUID)
	return nil
}

func (s *testService) callBack(c *binder.Call) error {
	b, err := s.ps.ReadStrongBinder(c.Data)
	if err != nil {
		return err
	}
	defer b.Close()
	v, err := c.Data.ReadInt32()
	if err != nil {
		return err
	}
	var data, reply parcel.Parcel
	defer reply.Reset()
	data.WriteInterfaceToken(testDescriptor)
	data.WriteInt32(v)
	if err := b.Transact(echoInt, &data, &reply, 0); err != nil {
		return err
	}
	if err := reply.ReadException(); err != nil {
		return err
	}
	v, err = reply.ReadInt32()
	c.Reply.WriteInt32(v)
	return err
}

func (s *testService) echoInt(c *binder.Call) error {
	s.echoes.Add(1)
	v, err := c.Data.ReadInt32()
	c.Reply.WriteInt32(v)
	return err
}

func (s *testService) echoesSoFar(c *binder.Call) error {
	c.Reply.WriteInt32(s.echoes.Load())
	return nil
}

func (s *testService) throw(*binder.Call) error {
	return &parcel.Exception{Code: parcel.ExceptionServiceSpecific, Message: "no", Specific: 5}
}

func (s *testService) nap(c *binder.Call) error {
	ms, err := c.Data.ReadInt32()
	if err != nil {
		return err
	}
	now := s.naps.Add(1)
	for most := s.napMax.Load(); now > most && !s.napMax.CompareAndSwap(most, now); {
		most = s.napMax.Load()
	}
	time.Sleep(time.Duration(ms) * time.Millisecond)
	s.naps.Add(-1)
	return nil
}

func (s *testService) peak(c *binder.Call) error {
	c.Reply.WriteInt32(s.napMax.Load())
	c.Reply.WriteInt32(int32(s.ps.Spawned()))
	return nil
}

func (s *testService) count(c *binder.Call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := c.Data.ReadInt32()
	s.counted = append(s.counted, v)
	return err
}

func (s *testService) countedSoFar(c *binder.Call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Reply.WriteInt32Array(s.counted)
	return nil
}

func (s *testService) give(c *binder.Call) error {
	b := s.ps.NewBinder("org.example.IGiven", binder.HandlerFunc(func(*binder.Call) error { return nil }))
	s.living.Add(1)
	runtime.AddCleanup(b, func(living *atomic.Int32) { living.Add(-1) }, &s.living)
	binder.WriteStrongBinder(c.Reply, b)
	return nil
}

func (s *testService) stillLiving(c *binder.Call) error {
	runtime.GC()
	c.Reply.WriteInt32(s.living.Load())
	return nil
}

func (s *testService) writeTo(c *binder.Call) error {
	fd, err := c.Data.ReadUniqueFileDescriptor()
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "received")
	defer f.Close()
	_, err = f.WriteString("written")
	return err
}

func (s *testService) readFrom(c *binder.Call) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := w.WriteString("given"); err != nil {
		return err
	}
	fd, err := unix.Dup(int(r.Fd()))
	r.Close()
	c.Reply.WriteFileDescriptor(fd, true)
	return err
}

func (s *testService) keep(c *binder.Call) (err error) {
	s.kept, err = s.ps.ReadStrongBinder(c.Data)
	return err
}

func (s *testService) keepBack(c *binder.Call) error {
	binder.WriteStrongBinder(c.Reply, s.kept)
	return nil
}

func (s *testService) same(c *binder.Call) error {
	b, err := s.ps.ReadStrongBinder(c.Data)
	if err != nil {
		return err
	}
	defer b.Close()
	c.Reply.WriteBool(b == s.kept)
	return nil
}

// reverse answers with the request's bytes in reverse, or with the request
// itself to code 2, or an error.
type reverse struct{}

func (reverse) OnBytes(c *binder.Call, request []byte) ([]byte, error) {
	switch c.Code {
	case 1:
		reply := bytes.Clone(request)
		for i, j := 0, len(reply)-1; i < j; i, j = i+1, j-1 {
			reply[i], reply[j] = reply[j], reply[i]
		}
		return reply, nil
	case 2:
		return request, nil
	}
	return nil, binder.BadValue
}
