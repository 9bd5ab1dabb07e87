package devicetest

import (
	"os"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
)

// The context manager and handle 0.

func managerCallsItself(x *test) {
	m := x.manager()
	second := m.process.open(0)
	x.errno(second.mmap(regionBytes), 0, "mmap of a second file")
	second.main.rejects(message{}, abi.BR_FAILED_REPLY, unix.EINVAL)
}

func secondManager(x *test) {
	m, other := x.manager(), x.join()
	x.errno(other.main.claim(0), unix.EBUSY, "claim by another")
	x.errno(m.main.claim(0), unix.EBUSY, "claim again")
	x.errno(other.main.ioctl(abi.BINDER_SET_CONTEXT_MGR, 0), unix.EBUSY, "BINDER_SET_CONTEXT_MGR")
}

func managerOfOtherUser(x *test) {
	const nobody = 65534
	m := x.manager()
	other := x.processAs(nobody).open(0)
	x.errno(other.main.claim(0), unix.EBUSY, "claim while there is a manager")
	m.Kill()
	x.eventually("the release of the manager", func() bool { return other.main.claim(0) != unix.EBUSY })
	x.errno(other.main.claim(0), unix.EPERM, "claim by another euid")
	x.errno(x.process().open(0).main.claim(0), 0, "claim by the first euid")
}

func noManager(x *test) {
	x.join().main.rejects(message{}, abi.BR_DEAD_REPLY, unix.EINVAL)
}

func managerReplaced(x *test) {
	first, c := x.manager(), x.join()
	c.main.write(withHandle(abi.BC_ACQUIRE, 0))
	first.Kill()
	second := x.join()
	x.eventually("second claim", func() bool { return second.main.claim(0) == 0 })
	for _, to := range []uint32{0, 1} {
		if to == 1 {
			// Handle 0 still names the dead manager, so this takes the next.
			c.main.write(withHandle(abi.BC_ACQUIRE, 0))
		}
		calling := c.main.call(message{to: to, code: 100 + to})
		got := second.main.receive()
		if got.Target != managerNode.Ptr || got.Code != 100+to {
			x.Fatalf("transaction for %#x with code %d", got.Target, got.Code)
		}
		second.main.reply(got, message{})
		c.main.free(c.main.replied(calling))
	}
}

// sender checks what a receiver is told of the sender.
func sender(x *test) {
	m, c := x.manager(), x.join()
	euid := uint32(os.Geteuid())
	calling := c.main.call(message{code: 0xabcdef, flags: abi.TF_ACCEPT_FDS, data: []byte("12345")})
	got := m.main.receive()
	want := abi.TransactionData{Target: managerNode.Ptr, Cookie: managerNode.Cookie, Code: 0xabcdef, Flags: abi.TF_ACCEPT_FDS,
		SenderPID: c.PID, SenderEUID: euid, DataSize: 5, Buffer: got.Buffer, Offsets: got.Offsets}
	if got != want {
		x.Fatalf("request: got %+v, want %+v", got, want)
	}
	m.main.reply(got, message{code: 5, flags: abi.TF_STATUS_CODE, data: []byte("123")})
	back := c.main.replied(calling)
	want = abi.TransactionData{Code: 5, Flags: abi.TF_STATUS_CODE, SenderEUID: euid, DataSize: 3, Buffer: back.Buffer, Offsets: back.Offsets}
	if back != want {
		x.Fatalf("reply: got %+v, want %+v", back, want)
	}
	c.main.send(message{code: 6})
	if got := m.main.receive(); got.SenderPID != 0 || got.SenderEUID != euid || got.Flags != abi.TF_ONE_WAY {
		x.Fatalf("oneway: %+v", got)
	}
}
