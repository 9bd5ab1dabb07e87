package devicetest

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/devicetest/internal/party"
)

// The file itself: open, mmap, close.

func versionUnmapped(x *test) {
	if got := x.process().open(0).main.version(); got != abi.CurrentProtocolVersion {
		x.Fatalf("version %d, want %d", got, abi.CurrentProtocolVersion)
	}
}

func mmapWritable(x *test) {
	f := x.process().open(0)
	x.errno(f.mmapAs(regionBytes, unix.PROT_READ|unix.PROT_WRITE), unix.EPERM, "writable mmap")
	x.errno(f.mmap(regionBytes), 0, "read-only mmap after that")
}

func mprotectWritable(x *test) {
	f := x.join()
	_, errno := call[party.None](f.process, "Protect",
		party.ProtectArgs{Region: f.region.ID, Prot: unix.PROT_READ | unix.PROT_WRITE})
	x.errno(errno, unix.EACCES, "mprotect with PROT_WRITE")
}

func mmapTwice(x *test) {
	f := x.join()
	first := f.region
	x.errno(f.mmap(regionBytes), unix.EBUSY, "second mmap")
	f.region = first
	f.unmap(0, regionBytes)
	x.errno(f.mmap(regionBytes), unix.EBUSY, "mmap after munmap")
}

func forkedChild(x *test) {
	f := x.join()
	saw := must[party.ForkValue](f.process, "Fork", party.ForkArgs{File: f.id, Region: f.region.ID})
	x.errno(saw.Map, unix.EINVAL, "mmap in the child")
	x.errno(saw.Look, unix.ENOMEM, "the parent's mapping in the child")
}

func regionLimit(x *test) {
	const limit = 4 << 20
	m := x.process().open(0)
	x.errno(m.mmap(2*limit), 0, "mmap of 8 MiB")
	x.errno(m.main.claim(0), 0, "BINDER_SET_CONTEXT_MGR_EXT")
	c := x.join()
	payload := make([]byte, limit+8)
	payload[0], payload[limit-1] = 1, 2
	asked := c.main.call(message{data: payload[:limit]})
	got := m.main.receive()
	if got.DataSize != limit || m.load(got.Buffer, 1)[0] != 1 || m.load(got.Buffer+limit-1, 1)[0] != 2 {
		x.Fatalf("%d bytes came, or not those that were sent", got.DataSize)
	}
	m.main.reply(got, message{})
	c.main.free(c.main.replied(asked))
	c.main.rejects(message{data: payload}, abi.BR_FAILED_REPLY, unix.ENOSPC)
}

func readEmptyPage(x *test) {
	f := x.join()
	if x.backend.InProcess {
		_, errno := call[[]byte](f.process, "Load", party.LoadArgs{Addr: f.region.Addr, N: 1})
		x.errno(errno, syscall.EFAULT, "reading a page without buffer")
		return
	}
	if _, err := party.Call[byte](f.Client, "Touch", f.region.Addr); err == nil {
		x.Fatal("a page without buffer can be read")
	}
	if output := f.Kill(); !strings.Contains(output, "SIGBUS") {
		x.Fatalf("the reader did not die of SIGBUS: %s", output)
	}
}

func flushOnClose(x *test) {
	f := x.join()
	dup := f.dup()
	reading := f.looper().read().blocked()
	f.close(dup)
	reading.want(abi.BR_NOOP)
}

func mappingHoldsFile(x *test) {
	m := x.manager()
	reading := m.looper().read().blocked()
	m.close(m.id)
	reading.want(abi.BR_NOOP) // the flush that close brings about has run
	other := x.join()
	x.errno(other.main.claim(0), unix.EBUSY, "claim while the mapping lives")
	m.unmap(0, regionBytes)
	x.eventually("claim after munmap", func() bool {
		errno := other.main.claim(0)
		return errno != unix.EBUSY && errno == 0
	})
}
