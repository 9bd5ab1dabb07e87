package devicetest

import (
	"slices"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/devicetest/internal/party"
)

// Which thread serves, when the driver asks for more, and at what priority.

func noSpawn(x *test) {
	f := x.join()
	f.main.maxThreads(0)
	f.fresh().exchange(plain(abi.BC_ENTER_LOOPER)).want(abi.BR_NOOP)
}

func spawnFirst(x *test) {
	f := x.join()
	f.main.maxThreads(1)
	p := f.fresh().exchange(plain(abi.BC_ENTER_LOOPER))
	p.want(abi.BR_SPAWN_LOOPER)
	if got := p.value().ReadConsumed; got != 4 {
		x.Fatalf("%d bytes, want 4: the request replaces BR_NOOP", got)
	}
}

// spawns lets a new thread write a looper command and read once, and says
// whether it was asked to spawn another.
func spawns(f *file, command abi.Command) bool {
	f.x.Helper()
	got := codes(f.fresh().exchange(plain(command)).answers())
	if !slices.Equal(got, []abi.Return{abi.BR_NOOP}) && !slices.Equal(got, []abi.Return{abi.BR_SPAWN_LOOPER}) {
		f.x.Fatalf("a fresh looper reads %s", names(got))
	}
	return got[0] == abi.BR_SPAWN_LOOPER
}

func spawnLimit(x *test) {
	f := x.join()
	f.main.maxThreads(2)
	for i, step := range []struct {
		command abi.Command
		want    bool
	}{
		{abi.BC_ENTER_LOOPER, true},
		{abi.BC_ENTER_LOOPER, false},    // the first request is still open
		{abi.BC_REGISTER_LOOPER, true},  // it is met: 1 started
		{abi.BC_REGISTER_LOOPER, false}, // 2 started: the limit
		{abi.BC_ENTER_LOOPER, false},
	} {
		if got := spawns(f, step.command); got != step.want {
			x.Fatalf("step %d: spawn %v, want %v", i, got, step.want)
		}
	}
}

func spawnNeverAgain(x *test) {
	f := x.join()
	f.main.maxThreads(1)
	if !spawns(f, abi.BC_ENTER_LOOPER) {
		x.Fatal("no request to spawn")
	}
	registered := f.fresh()
	registered.exchange(plain(abi.BC_REGISTER_LOOPER)).want(abi.BR_NOOP)
	registered.exit()
	if spawns(f, abi.BC_ENTER_LOOPER) {
		x.Fatal("a request to spawn after as many threads were started as may be")
	}
}

func lastBlockedServes(x *test) {
	m, c := x.manager(), x.join()
	first := m.looper().read().blocked()
	second := m.looper().read().blocked()
	c.main.send(message{code: 1})
	if got := second.want(abi.BR_NOOP, abi.BR_TRANSACTION)[1].transaction(); got.Code != 1 {
		x.Fatalf("code %d, want 1", got.Code)
	}
	first.blocked()
}

func neverLooperServes(x *test) {
	x.since(6, 1)
	m, c := x.manager(), x.join()
	reading := m.thread().read().blocked()
	c.main.call(message{code: 1})
	reading.want(abi.BR_NOOP, abi.BR_TRANSACTION)
}

func priorityFollowsCaller(x *test) {
	m, c := x.managerWith(19), x.join()
	nice := func(t *thread) int { return must[int](t.process, "Nice", t.tid) }
	usual := nice(m.main)
	for _, caller := range []int{10, 5} {
		t := c.thread()
		must[party.None](c.process, "Renice", party.NiceArgs{Thread: t.tid, Nice: caller})
		calling := t.call(message{})
		request := m.main.receive()
		if got := nice(m.main); got != caller {
			x.Fatalf("handler at nice %d, want the caller's %d", got, caller)
		}
		m.main.reply(request, message{})
		t.replied(calling)
		if got := nice(m.main); got != usual {
			x.Fatalf("handler at nice %d after its reply, want %d", got, usual)
		}
	}
	c.main.send(message{})
	m.main.receive()
	if got := nice(m.main); got != usual {
		x.Fatalf("oneway at nice %d, want %d still", got, usual)
	}
}

func exitMakesFresh(x *test) {
	f := x.join()
	t := f.looper()
	t.read().blocked()
	again := f.looper()
	again.exit()
	again.read().want(abi.BR_NOOP)
	again.read().blocked()
}
