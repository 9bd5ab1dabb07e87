package claims

import (
	"slices"
	"testing"
)

func init() {
	procs := procNumbers{Processes: 5, WithOneProc: 5, Threads: 31, ThreadsShown: 31, Ordered: true, ProcsOfTwoOpens: 1}
	but := func(change func(*procNumbers)) procNumbers {
		n := procs
		change(&n)
		return n
	}
	register("C14",
		example{"all as started", procs, Supported},
		example{"a binder_proc an open", but(func(n *procNumbers) { n.ProcsOfTwoOpens = 2 }), Conditional},
		example{"a process twice", but(func(n *procNumbers) { n.WithOneProc = 4 }), Refuted},
		example{"a thread is missing", but(func(n *procNumbers) { n.ThreadsShown = 30 }), Refuted},
		example{"a thread too many", but(func(n *procNumbers) { n.ThreadsUnknown = 1 }), Refuted},
		example{"no tree", but(func(n *procNumbers) { n.Ordered = false }), Refuted},
		example{"a second ProcessState", but(func(n *procNumbers) { n.SecondStates = 1 }), Refuted},
		example{"nothing started", procNumbers{Ordered: true}, Inconclusive},
	)

	pool := []poolSetup{{Max: 1, Callers: 10, Peak: 2, Loopers: 2, Spawned: 1}, {Max: 15, Callers: 24, Peak: 16, Loopers: 16, Spawned: 15}}
	joined := poolSetup{Max: 15, Joined: true, Callers: 25, Peak: 17, Loopers: 17, Spawned: 15}
	setups := func(more ...poolSetup) poolNumbers { return poolNumbers{Setups: slices.Concat(pool, more)} }
	growth := func(g poolGrowth) poolNumbers { return poolNumbers{Setups: pool, Growth: []poolGrowth{g}} }
	register("C15",
		example{"the limit is exact", setups(), Supported},
		example{"the main thread is one more", setups(joined), Conditional},
		example{"one too many", setups(poolSetup{Max: 4, Peak: 6, Loopers: 5, Spawned: 4}), Refuted},
		example{"one too few", setups(poolSetup{Max: 4, Peak: 4, Loopers: 5, Spawned: 4}), Refuted},
		example{"asked for more than the limit", setups(poolSetup{Max: 4, Peak: 5, Loopers: 6, Spawned: 5}), Refuted},
		example{"begins with two", setups(poolSetup{Max: 4, Peak: 5, Loopers: 6, Spawned: 4}), Refuted},
		example{"grows with its callers", growth(poolGrowth{4, 4, 6}), Supported},
		example{"a caller waits although there is room", growth(poolGrowth{4, 3, 3}), Refuted},
		example{"grows to the limit for one", growth(poolGrowth{1, 1, 16}), Refuted},
		example{"nothing tried", poolNumbers{}, Inconclusive},
	)

	register("C16",
		example{"loopers only", servingNumbers{Calls: 9, ByLoopers: 9, Nested: 2, NestedByLoopers: 2, Dumped: true}, Supported},
		example{"calls back go to who waits", servingNumbers{Calls: 9, ByLoopers: 9, Nested: 2, NestedByWaiter: 2, Dumped: true}, Conditional},
		example{"another thread served", servingNumbers{Calls: 9, ByLoopers: 8, Dumped: true}, Refuted},
		example{"no calls", servingNumbers{}, Inconclusive},
	)
}

const sampleDump = `binder state:
dead nodes:
  node 9: u0000000000000000 c0000000000000000 hs 1 hw 1 ls 0 lw 0 is 1 iw 1 proc 17
proc 17
context binder
  thread 17: l 12 need_return 0 tr 0
  thread 23: l 01 need_return 0 tr 1
    incoming transaction 40: from 30:30 to 17:23 code 1 flags 10 node 3 size 4:0
    pending transaction 41: from 30:31 to 17:23 code 1 flags 10 node 3 size 4:0
  node 3: u0000000000000000 c0000000000000000 hs 1 hw 1 ls 1 lw 1 is 1 iw 1 proc 30
  buffer 40: 0 size 4:0:0 delivered
  pending transaction 42: from 30:32 to 17:0 code 1 flags 10 node 3 size 4:0
proc 30
context binder
  thread 30: l 00 need_return 0 tr 1
  ref 5: desc 0 node 3 s 1 w 1 d 0
`

func TestParseDump(t *testing.T) {
	d := parseDump(sampleDump)
	if len(d) != 2 || len(d.of(17)) != 1 || len(d.of(99)) != 0 {
		t.Fatalf("%+v", d)
	}
	server := d.of(17)[0]
	if want := []dumpedThread{{17, 0x12}, {23, 1}}; !slices.Equal(server.Threads, want) || server.Pending != 1 {
		t.Errorf("%+v", server)
	}
	if th := server.Threads[0]; !th.pool() || !th.waits() {
		t.Error("a looper that waits is not taken for one")
	}
	if th := d.of(30)[0].Threads[0]; th.pool() || th.waits() {
		t.Error("a caller is taken for a looper")
	}
}
