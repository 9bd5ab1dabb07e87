package arena

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"ipcbench/internal/sys"
	"pgregory.net/rapid"
)

// item is a record for tests: a number in a tree, in a list and in a stack.
type item struct {
	Header
	key    uint64
	value  uint64
	branch Branch[item]
	link   Link[item]
	under  Ref[item]
}

// root is the record that everything hangs from.
type root struct {
	Header
	tree Ref[item]
	list Ends[item]
	top  Ref[item]
	ids  IDs
	sum  uint64
}

var (
	items    = NewKind[item](FirstKind, "item", 0)
	roots    = NewKind[root](FirstKind+1, "root", 0)
	allKinds = []AnyKind{items, roots}

	byKey = Tree[item]{
		Key:    func(i *item) uint64 { return i.key },
		Branch: func(i *item) *Branch[item] { return &i.branch },
	}
	inOrder = List[item]{Link: func(i *item) *Link[item] { return &i.link }}
	newest  = Stack[item]{Under: func(i *item) *Ref[item] { return &i.under }}
)

// testHost is a host whose processes die when the test says so.
type testHost struct {
	mu   sync.Mutex
	dead map[int32]bool
	err  error
}

func (h *testHost) Commit(int64) error { return h.err }
func (h *testHost) Dead(s Slot) (dead bool, calls int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dead[s.PID], 0
}
func (h *testHost) kill(pid int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dead == nil {
		h.dead = map[int32]bool{}
	}
	h.dead[pid] = true
}
func (h *testHost) Wait(w *atomic.Uint32, v uint32, d time.Duration) bool {
	return sys.FutexWait(w, v, d) == unix.EINTR
}
func (h *testHost) Wake(w *atomic.Uint32, n int) (calls int) {
	sys.FutexWake(w, n)
	return 1
}

func newTestArena(t testing.TB, h *testHost) (*Arena, []byte) {
	t.Helper()
	mem := make([]byte, 4<<20)
	a, err := withCuts(h, func(o Options) (*Arena, error) { return Format(mem, allKinds, o) })
	if err != nil {
		t.Fatal(err)
	}
	return a, mem
}

// cuts are the hooks that dieAt sets, by *Arena.
var cuts sync.Map

// withCuts opens an arena on which dieAt can be called.
func withCuts(h *testHost, open func(Options) (*Arena, error)) (*Arena, error) {
	cut := new(func(Step))
	a, err := open(Options{Host: h, Step: func(s Step) {
		if *cut != nil {
			(*cut)(s)
		}
	}})
	cuts.Store(a, cut)
	return a, err
}

// lastPID numbers the processes of all tests.
var lastPID int32

func join(t testing.TB, a *Arena) (*Member, *Tx) {
	t.Helper()
	lastPID++
	m, err := a.Join(Slot{PID: lastPID})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := m.Tx(1)
	if err != nil {
		t.Fatal(err)
	}
	return m, tx
}

func newRoot(t testing.TB, a *Arena, tx *Tx) Ref[root] {
	t.Helper()
	tx.Begin()
	defer tx.End()
	r, err := roots.New(tx)
	if err != nil {
		t.Fatal(err)
	}
	a.SetRoot(uint32(r))
	return r
}

// add and drop change all structures of the root together, so that a half
// done one is seen.
func add(tx *Tx, r Ref[root], key uint64) error {
	i, err := items.New(tx)
	if err != nil {
		return err
	}
	i.Edit(tx).key = key
	p := r.Edit(tx)
	n, err := p.ids.Take(tx, 0)
	if err != nil {
		return err
	}
	i.Edit(tx).value = uint64(n)
	byKey.Insert(tx, &p.tree, i)
	inOrder.PushBack(tx, &p.list, i)
	newest.Push(tx, &p.top, i)
	p.sum += key
	return nil
}

func drop(tx *Tx, r Ref[root], key uint64) bool {
	p := r.Edit(tx)
	i := byKey.Find(tx.arena, p.tree, key)
	if i == 0 {
		return false
	}
	byKey.Remove(tx, &p.tree, i)
	inOrder.Remove(tx, &p.list, i)
	newest.Remove(tx, &p.top, i)
	p.ids.Return(tx, uint32(i.In(tx.arena).value))
	p.sum -= key
	items.Free(tx, i)
	return true
}

// check is the invariant of the root: tree, list, stack, sum and numbers agree.
func check(t interface {
	Helper()
	Fatalf(string, ...any)
}, a *Arena, r Ref[root]) map[uint64]bool {
	t.Helper()
	p := r.In(a)
	n, err := byKey.Check(a, items, p.tree)
	if err != nil {
		t.Fatalf("tree: %v", err)
	}
	l, err := inOrder.Check(a, p.list)
	if err != nil || l != n || items.Live(a) != n {
		t.Fatalf("list: %v, %d of %d records, %d live", err, l, n, items.Live(a))
	}
	i := p.list.Last
	for s := p.top; s == i && i != 0; s = s.In(a).under {
		i = i.In(a).link.Prev
	}
	if s, err := newest.Check(a, p.top); err != nil || s != n || i != 0 {
		t.Fatalf("stack: %v, %d of %d records, those from %d on are not as in the list", err, s, n, i)
	}
	keys, numbers, sum := map[uint64]bool{}, map[uint64]bool{}, uint64(0)
	for i := byKey.First(a, p.tree); i != 0; i = byKey.Next(a, p.tree, i) {
		keys[i.In(a).key], numbers[i.In(a).value] = true, true
		sum += i.In(a).key
	}
	if len(keys) != n || len(numbers) != n || sum != p.sum {
		t.Fatalf("%d keys, %d numbers for %d records; sum %d, want %d", len(keys), len(numbers), n, p.sum, sum)
	}
	return keys
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, _ := newTestArena(t, &testHost{})
		_, tx := join(t, a)
		r := newRoot(t, a, tx)
		model := map[uint64]bool{}
		for range rapid.IntRange(1, 200).Draw(rt, "operations") {
			key := rapid.Uint64Range(0, 50).Draw(rt, "key")
			keep := rapid.Bool().Draw(rt, "keep")
			tx.Begin()
			if model[key] {
				drop(tx, r, key)
			} else if err := add(tx, r, key); err != nil {
				rt.Fatalf("add: %v", err)
			}
			if keep {
				model[key] = !model[key]
			} else {
				tx.Rollback()
			}
			tx.End()
		}
		keys := check(rt, a, r)
		for k, in := range model {
			if in != keys[k] {
				rt.Fatalf("key %d: in the arena %v, in the model %v", k, keys[k], in)
			}
		}
		for k := range uint64(52) {
			want := uint64(1 << 63)
			for m, in := range model {
				if in && m >= k {
					want = min(want, m)
				}
			}
			got := byKey.Ceiling(a, r.In(a).tree, k)
			if got == 0 != (want == 1<<63) || got != 0 && got.In(a).key != want {
				rt.Fatalf("ceiling of %d", k)
			}
		}
	})
}

func TestIDs(t *testing.T) {
	a, _ := newTestArena(t, &testHost{})
	_, tx := join(t, a)
	r := newRoot(t, a, tx)
	tx.Begin()
	defer tx.End()
	take := func(low, want uint32) {
		t.Helper()
		if n, err := r.Edit(tx).ids.Take(tx, low); err != nil || n != want {
			t.Fatalf("took %d, %v; want %d", n, err, want)
		}
		tx.Commit()
	}
	for n := range uint32(2100) {
		take(0, n)
	}
	for _, n := range []uint32{1000, 31, 2099} {
		r.Edit(tx).ids.Return(tx, n)
	}
	take(32, 1000)
	take(0, 31)
	take(1, 2099)
	take(40000, 40000)
	take(0, 2100)
	for n := range uint32(2101) {
		r.Edit(tx).ids.Return(tx, n)
		tx.Commit()
	}
	r.Edit(tx).ids.Return(tx, 40000)
	if got := idsKinds.Live(a); got != 0 {
		t.Errorf("%d nodes are left of an empty set", got)
	}
}

var errCut = errors.New("cut off")

// TestCutEverywhere kills a process at each step of a transaction, and its
// recoverer at each step of the rollback, and checks that a third process
// finds either all of the transaction or nothing.
func TestCutEverywhere(t *testing.T) {
	for _, op := range []struct {
		name string
		do   func(*Tx, Ref[root]) bool
		key  uint64
	}{
		{"add", func(tx *Tx, r Ref[root]) bool { return add(tx, r, 7) == nil }, 7},
		{"drop", func(tx *Tx, r Ref[root]) bool { return drop(tx, r, 20) }, 20},
	} {
		t.Run(op.name, func(t *testing.T) {
			cuts := 0
			for n := 1; cutAt(t, n, 0, op.do, op.key); n++ {
				for m := 1; cutAt(t, n, m, op.do, op.key); m++ {
					cuts++
				}
			}
			if cuts < 20 {
				t.Errorf("only %d cuts were made", cuts)
			}
		})
	}
}

// cutAt runs op and dies at step n; if second is not 0 the recoverer dies at
// its step. It returns false if there is no such step.
func cutAt(t *testing.T, n, second int, op func(*Tx, Ref[root]) bool, key uint64) bool {
	host := &testHost{}
	first, mem := newTestArena(t, host)
	_, tx := join(t, first)
	r := newRoot(t, first, tx)
	for k := range uint64(10) {
		tx.Begin()
		if err := add(tx, r, k*5); err != nil {
			t.Fatal(err)
		}
		tx.End()
	}
	before := check(t, first, r)
	m1, tx1 := join(t, first)
	middle, last := reopen(t, mem, host), reopen(t, mem, host)
	m2, tx2 := join(t, middle)
	_, tx3 := join(t, last)
	reached := dieAt(first, n, func() { tx1.Begin(); op(tx1, r); tx1.End() })
	if !reached {
		return false
	}
	host.kill(m1.Slot().In(m1.arena).PID)
	if second > 0 {
		reached = dieAt(middle, second, func() { tx2.Begin(); tx2.End() })
		host.kill(m2.Slot().In(m2.arena).PID)
	}
	tx3.Begin()
	after := check(t, last, r)
	changed := 0
	for k := range uint64(50) {
		if before[k] != after[k] {
			changed++
		}
	}
	if changed > 1 || changed == 1 && before[key] == after[key] {
		t.Fatalf("cut at %d, %d: %v became %v", n, second, before, after)
	}
	tx3.End()
	return reached
}

// dieAt runs f until its n-th step and says whether it came so far.
func dieAt(a *Arena, n int, f func()) (reached bool) {
	hook, _ := cuts.Load(a)
	cut := hook.(*func(Step))
	defer func() {
		*cut = nil
		if p := recover(); p == errCut {
			reached = true
		} else if p != nil {
			panic(p)
		}
	}()
	*cut = func(Step) {
		if n--; n == 0 {
			panic(errCut)
		}
	}
	f()
	return false
}

func reopen(t *testing.T, mem []byte, h *testHost) *Arena {
	t.Helper()
	a, err := withCuts(h, func(o Options) (*Arena, error) { return Open(mem, allKinds, o) })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestHeldByDead has the holder die with others already asleep on the lock.
func TestHeldByDead(t *testing.T) {
	host := &testHost{}
	a, _ := newTestArena(t, host)
	_, tx := join(t, a)
	r := newRoot(t, a, tx)
	m1, tx1 := join(t, a)
	var sleepers [3]*Tx
	for i := range sleepers {
		_, sleepers[i] = join(t, a)
	}
	tx1.Begin()
	if err := add(tx1, r, 1); err != nil {
		t.Fatal(err)
	}
	if pid, tid := a.Holder(); pid != m1.Slot().In(a).PID || tid != 1 {
		t.Errorf("the holder is said to be %d, %d", pid, tid)
	}
	done := make(chan struct{})
	for _, waiting := range sleepers {
		go func() {
			waiting.Begin()
			waiting.End()
			done <- struct{}{}
		}()
	}
	host.kill(m1.Slot().In(m1.arena).PID)
	for range sleepers {
		<-done
	}
	if keys := check(t, a, r); len(keys) != 0 {
		t.Errorf("the dead one's change was kept: %v", keys)
	}
	if got := a.Recoveries(); got != 1 {
		t.Errorf("%d recoveries, want 1", got)
	}
}

// TestBootstrapDies has a process die while it joins.
func TestBootstrapDies(t *testing.T) {
	for n := 1; ; n++ {
		a, mem := newTestArena(t, &testHost{})
		if !dieAt(a, n, func() { _, _ = a.Join(Slot{PID: 2}) }) {
			break
		}
		b := reopen(t, mem, &testHost{})
		m, tx := join(t, b)
		tx.Begin()
		for _, s := range tx.Members() {
			if s.Ref != m.Slot() {
				tx.Remove(s.Ref)
			}
		}
		if got := slotKinds.Live(b); got != 1 {
			t.Fatalf("cut at %d: %d slots are left, want 1", n, got)
		}
		tx.End()
		m.Leave()
		if s, j := slotKinds.Live(b), journalKinds.Live(b); s != 0 || j != 0 {
			t.Fatalf("cut at %d: %d slots and %d journals are left", n, s, j)
		}
	}
}

// TestLeave: who leaves is told how many are left, and has no journal any more: who
// died holding the lock with one could not be told from the living.
func TestLeave(t *testing.T) {
	a, _ := newTestArena(t, new(testHost))
	first, _ := join(t, a)
	second, _ := join(t, a)
	if others := second.Leave(); others != 1 {
		t.Errorf("%d others are left, want 1", others)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a member that left goes on using its journal")
			}
		}()
		_ = second.Do(func(*Tx) error { return nil })
	}()
	if others := first.Leave(); others != 0 {
		t.Errorf("%d others are left, want none", others)
	}
}

// TestLeaverDies has a process die at each step while it leaves; the others go on, and
// remove what it left.
func TestLeaverDies(t *testing.T) {
	for n := 1; ; n++ {
		host := &testHost{}
		a, mem := newTestArena(t, host)
		leaver, _ := join(t, a)
		b := reopen(t, mem, host)
		m, tx := join(t, b)
		pid := leaver.Slot().In(a).PID
		if !dieAt(a, n, func() { leaver.Leave() }) {
			break
		}
		host.kill(pid)
		tx.Begin()
		for _, s := range tx.Members() {
			if s.Ref != m.Slot() {
				tx.Remove(s.Ref)
			}
		}
		tx.End()
		if s, j := slotKinds.Live(b), journalKinds.Live(b); s != 1 || j != 2 {
			t.Fatalf("cut at %d: %d slots and %d journals are left, want 1 and 2", n, s, j)
		}
	}
}

func TestParallel(t *testing.T) {
	a, _ := newTestArena(t, &testHost{})
	_, tx := join(t, a)
	r := newRoot(t, a, tx)
	var wg sync.WaitGroup
	for g := range uint64(4) {
		_, mine := join(t, a)
		wg.Go(func() {
			for k := range uint64(500) {
				mine.Begin()
				if err := add(mine, r, g<<32|k); err != nil {
					t.Error(err)
				}
				mine.End()
			}
		})
	}
	wg.Wait()
	if n := len(check(t, a, r)); n != 2000 {
		t.Errorf("%d records, want 2000", n)
	}
}

func TestFull(t *testing.T) {
	host := &testHost{}
	a, _ := newTestArena(t, host)
	_, tx := join(t, a)
	r := newRoot(t, a, tx)
	tx.Begin()
	var err error
	for k := uint64(0); err == nil; k++ {
		if err = add(tx, r, k); err == nil {
			tx.Commit()
		} else {
			tx.Rollback()
		}
	}
	tx.End()
	if !errors.Is(err, ErrFull) {
		t.Errorf("a full arena says %v", err)
	}
	check(t, a, r)
	if _, err := Format(make([]byte, MinSize), nil, Options{Host: &testHost{err: errors.New("disk full")}}); !errors.Is(err, ErrFull) {
		t.Errorf("no storage: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	_, mem := newTestArena(t, &testHost{})
	for _, c := range []struct {
		name  string
		spoil func([]byte) []byte
		want  error
	}{
		{"magic", func(b []byte) []byte { b[0]++; return b }, ErrMagic},
		{"version", func(b []byte) []byte { b[8]++; return b }, ErrVersion},
		{"layout", func(b []byte) []byte { b[12]++; return b }, ErrVersion},
		{"truncated", func(b []byte) []byte { return b[:len(b)/2] }, ErrSize},
		{"empty", func(b []byte) []byte { return nil }, ErrSize},
		{"directory", func(b []byte) []byte { b[directoryLine*LineSize]++; return b }, ErrDamaged},
	} {
		if _, err := Open(c.spoil(append([]byte(nil), mem...)), allKinds, Options{Host: &testHost{}}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestBadReference(t *testing.T) {
	a, _ := newTestArena(t, &testHost{})
	_, tx := join(t, a)
	r := newRoot(t, a, tx)
	damaged := func(name string, f func()) {
		t.Helper()
		defer func() {
			if err, _ := recover().(error); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %v", name, err)
			}
		}()
		f()
	}
	damaged("nil", func() { Ref[item](0).In(a) })
	damaged("outside", func() { Ref[item](1 << 30).In(a) })
	tx.Begin()
	defer tx.End()
	damaged("never allocated", func() { Ref[item](uint32(r) + 100).Edit(tx) })
	damaged("wrong kind", func() { items.Free(tx, Ref[item](r)) })
}

func TestSleepAndWake(t *testing.T) {
	a, _ := newTestArena(t, &testHost{})
	_, tx := join(t, a)
	_, sleeper := join(t, a)
	var w WaitWord
	woken := make(chan struct{})
	go func() {
		for n := w.Number(); w.Number() == n; {
			sleeper.Sleep(&w, n, time.Minute)
		}
		close(woken)
	}()
	for w.word.Load()&asleep == 0 {
		time.Sleep(time.Microsecond)
	}
	tx.Begin()
	tx.Wake(&w)
	tx.End()
	<-woken
	tx.Sleep(&w, w.Number()-1, time.Minute) // has been woken already: must not sleep
}

// leavingHost has whoever holds the lock leave it as soon as somebody sleeps on it.
type leavingHost struct {
	testHost
	arena *Arena
}

func (h *leavingHost) Wait(*atomic.Uint32, uint32, time.Duration) bool {
	h.arena.header.lock.Store(0)
	return false
}

// TestCallsAreTheThreads: a thread's system calls are those made since it began,
// with those that it cost to make its Tx, and nobody else's.
func TestCallsAreTheThreads(t *testing.T) {
	h := &leavingHost{}
	a, err := Format(make([]byte, 4<<20), allKinds, Options{Host: h})
	if err != nil {
		t.Fatal(err)
	}
	h.arena = a
	m, _ := join(t, a)
	wakeOne := func(tx *Tx) {
		var w WaitWord
		if !tx.Park(&w, w.Number()) {
			t.Fatal("a fresh word cannot be slept on")
		}
		tx.Begin()
		tx.Wake(&w)
		tx.End()
	}
	before := m.Calls()
	a.header.lock.Store(contended) // somebody holds it
	first, err := m.Tx(7)
	if err != nil {
		t.Fatal(err)
	}
	if first.Calls() == 0 || m.Calls() != before {
		t.Errorf("a Tx made against contention: %d calls are the thread's, %d the process's", first.Calls(), m.Calls()-before)
	}
	made := first.Calls()
	wakeOne(first)
	if n := first.Calls() - made; n != 1 {
		t.Errorf("%d calls for one wake-up", n)
	}
	m.Release(first)
	next, err := m.Tx(8)
	if err != nil {
		t.Fatal(err)
	}
	if next != first || next.Calls() != 0 {
		t.Errorf("a Tx that had another thread begins with %d calls", next.Calls())
	}
}

func TestTransactionDoesNotAllocate(t *testing.T) {
	a, _ := newTestArena(t, &testHost{})
	_, tx := join(t, a)
	r := newRoot(t, a, tx)
	if n := testing.AllocsPerRun(100, func() {
		tx.Begin()
		_ = add(tx, r, 1)
		drop(tx, r, 1)
		tx.End()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkTree shows that a change of a tree costs little more among ten
// thousand records than among few.
func BenchmarkTree(b *testing.B) {
	for _, live := range []uint64{1, 100, 10000} {
		b.Run(fmt.Sprintf("live=%d", live), func(b *testing.B) {
			a, _ := newTestArena(b, &testHost{})
			_, tx := join(b, a)
			r := newRoot(b, a, tx)
			for k := range live {
				tx.Begin()
				if err := add(tx, r, k*2); err != nil {
					b.Fatal(err)
				}
				tx.End()
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				k := uint64(i*7919)%live*2 + 1
				tx.Begin()
				_ = add(tx, r, k)
				drop(tx, r, k)
				tx.End()
			}
		})
	}
}
