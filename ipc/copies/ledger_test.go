package copies_test

import (
	"testing"

	"ipcbench/ipc/copies"
)

var (
	in  = copies.NewSite("test/in", copies.Kernel)
	out = copies.NewSite("test/out", copies.User)
)

func TestLedgersOfBothEndsAddUp(t *testing.T) {
	client, server := copies.NewLedger(copies.Request), copies.NewLedger(copies.Reply)
	client.Sent(out, 100, 16)
	server.Received(in, 60, 16)
	server.Received(in, 40, 0)
	server.Delivered(100)
	server.Sent(out, 10, 16)
	client.Received(in, 10, 16)
	client.Delivered(10)
	client.Syscalls(2)
	server.Syscalls(3)

	r := client.Report()
	r.Add(server.Report())
	if r.Delivered != [2]uint64{100, 10} || r.Messages != [2]uint64{1, 1} || r.Syscalls != 5 || r.Header() != 64 {
		t.Errorf("%+v", r)
	}
	for _, d := range []copies.Direction{copies.Request, copies.Reply} {
		if got, ok := r.PerDirection(d); !ok || got != 2 {
			t.Errorf("%s: %v copies", d, got)
		}
	}
	for _, s := range r.Sites {
		if s.Name == "test/in" && s.Direction == copies.Request && (s.Times != 2 || !s.Kernel) {
			t.Errorf("%+v", s)
		}
	}
}

func TestNothingDelivered(t *testing.T) {
	l := copies.NewLedger(copies.Request)
	l.Sent(out, 100, 16)
	if _, ok := l.Report().PerDirection(copies.Request); ok {
		t.Error("copies of nothing")
	}
}

func TestMark(t *testing.T) {
	l := copies.NewLedger(copies.Request)
	l.Syscalls(4)
	l.Sent(out, 8, 16)
	l.Mark()
	l.Syscalls(2)
	l.Sent(out, 0, 16)
	r := l.Report()
	if r.OperationSyscalls() != 4 || r.OperationHeader() != 16 || r.Syscalls != 6 || r.Header() != 32 {
		t.Errorf("%+v", r)
	}
}

func TestReset(t *testing.T) {
	l := copies.NewLedger(copies.Reply)
	l.Sent(out, 8, 16)
	l.Reset()
	if r := l.Report(); len(r.Sites) != 0 {
		t.Errorf("%+v", r)
	}
	l.Sent(out, 8, 0)
	if r := l.Report(); r.Payload(copies.Reply) != 8 {
		t.Errorf("the direction is lost: %+v", r)
	}
}

func TestCountingDoesNotAllocate(t *testing.T) {
	l := copies.NewLedger(copies.Request)
	if n := testing.AllocsPerRun(100, func() {
		l.Sent(out, 1, 1)
		l.Received(in, 1, 1)
		l.Delivered(1)
		l.Syscalls(1)
		l.Mark()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
