package devicetest

import (
	"bytes"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
)

// Where buffers lie in a region, and how much of it oneways may take.

// hold lets c call m with a payload of each size, on threads of their own,
// and returns what arrived, unfreed.
func hold(m, c *file, sizes ...int) []abi.TransactionData {
	m.x.Helper()
	var held []abi.TransactionData
	for _, size := range sizes {
		c.thread().call(message{data: make([]byte, size)})
		held = append(held, m.thread().receive())
	}
	return held
}

func bufferSpacing(x *test) {
	m, c := x.manager(), x.join()
	held := hold(m, c, 0, 5, 8)
	for i, td := range held {
		if want := held[0].Buffer + uint64(8*i); td.Buffer != want {
			x.Errorf("payload %d at %#x, want %#x", i, td.Buffer, want)
		}
		if want := td.Buffer + (td.DataSize+7)&^7; td.Offsets != want {
			x.Errorf("payload %d: offsets at %#x, want %#x", i, td.Offsets, want)
		}
	}
}

func bestFit(x *test) {
	m, c := x.manager(), x.join()
	held := hold(m, c, 64, 256, 64)
	m.main.free(held[1])
	if got := hold(m, c, 128)[0]; got.Buffer != held[1].Buffer {
		x.Fatalf("128 bytes at %#x, want the hole at %#x", got.Buffer, held[1].Buffer)
	}
}

func onewayBudget(x *test) {
	m, c := x.manager(), x.join()
	half := make([]byte, regionBytes/2+8)
	c.main.exchange(c.main.oneway(message{data: half})).want(abi.BR_NOOP, abi.BR_FAILED_REPLY)
	c.main.blames(unix.ENOSPC)
	calling := c.main.call(message{data: half})
	m.main.reply(m.main.receive(), message{})
	c.main.replied(calling)
}

func freeUndelivered(x *test) {
	m, c := x.manager(), x.join()
	c.main.send(message{data: []byte("12345678")})
	c.main.send(message{data: []byte("abcdefgh")})
	first := m.main.receive()
	next := first.Buffer + 8
	m.main.write(withAddress(abi.BC_FREE_BUFFER, next))
	m.main.free(first)
	got := m.main.receive()
	if got.Buffer != next || string(m.main.payload(got)) != "abcdefgh" {
		x.Fatalf("%q at %#x, want abcdefgh at %#x", m.main.payload(got), got.Buffer, next)
	}
}

func clearedBuffer(x *test) {
	x.since(5, 11)
	m, c := x.manager(), x.join()
	payload := bytes.Repeat([]byte("secret!."), 16)
	for _, flags := range []abi.TransactionFlags{0, abi.TF_CLEAR_BUF} {
		c.main.send(message{data: payload, flags: flags})
		got := m.main.receive()
		m.main.free(got)
		want := payload
		if flags != 0 {
			want = make([]byte, len(payload))
		}
		if left := m.load(got.Buffer, len(payload)); !bytes.Equal(left, want) {
			x.Errorf("flags %#x: %q left after the free", flags, left)
		}
	}
}

func onewaySpam(x *test) {
	x.since(5, 13)
	x.manager()
	c := x.join()
	_, errno := c.main.control(abi.BINDER_ENABLE_ONEWAY_SPAM_DETECTION, []byte{1, 0, 0, 0})
	x.errno(errno, 0, "BINDER_ENABLE_ONEWAY_SPAM_DETECTION")
	const chunk = regionBytes / 32 // 16 of them are the budget
	suspects, at := 0, 0
	for i := 1; i <= 16; i++ {
		got := c.main.exchange(c.main.oneway(message{data: make([]byte, chunk)})).answers()
		switch got[len(got)-1].code {
		case abi.BR_TRANSACTION_COMPLETE:
		case abi.BR_ONEWAY_SPAM_SUSPECT:
			suspects, at = suspects+1, i
		default:
			x.Fatalf("oneway %d: %s", i, names(codes(got)))
		}
	}
	// A tenth of the region is a fifth of the budget: 12 fit, the 13th exceeds.
	if suspects != 1 || at != 13 {
		x.Fatalf("%d suspicions, the last at oneway %d; want one, at 13", suspects, at)
	}
}
