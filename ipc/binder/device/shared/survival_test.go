package shared

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/child"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

func init() {
	roles["victim"] = victim
	roles["survivor"] = survivor
}

// victim calls the manager, publishing nodes and sending oneways in between,
// until it kills itself at the step of the driver that its second argument
// says.
func victim(args []string) error {
	left, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	count := 0
	_, p, err := join(Options{Dir: args[0], Step: func(arena.Step) {
		if count++; count == left {
			_ = unix.Kill(os.Getpid(), unix.SIGKILL)
		}
	}})
	if err != nil {
		return err
	}
	node := abi.FlatBinderObject{Type: abi.BINDER_TYPE_BINDER}
	var buf [256]byte
	for i := uint64(1); ; i++ {
		node.Binder = i
		node.Encode(p.mem[atPayload+8:])
		binary.NativeEndian.PutUint64(p.mem[atPayload+64:], 8)
		e := abi.NewEncoder[abi.Command](buf[:])
		tr := abi.TransactionData{DataSize: 64, Buffer: p.addr(atPayload), OffsetsSize: 8, Offsets: p.addr(atPayload + 64)}
		tr.Flags = abi.TF_ONE_WAY
		e.Transaction(abi.BC_TRANSACTION, &tr)
		tr.Flags = 0
		e.Transaction(abi.BC_TRANSACTION, &tr)
		if err := p.call(e.Bytes(), 256); err != nil {
			return err
		}
		code, reply, err := p.next()
		if err != nil {
			return err
		}
		if code == abi.BR_REPLY {
			e.Reset()
			e.Uint64(abi.BC_FREE_BUFFER, reply.Buffer)
			if err := p.call(e.Bytes(), 0); err != nil {
				return err
			}
		}
	}
}

// survivor calls the manager until its input ends, and checks every reply. It
// says how many there were.
func survivor(args []string) error {
	d, p, err := join(Options{Dir: args[0]})
	if err != nil {
		return err
	}
	var done atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		done.Store(true)
	}()
	fmt.Println(child.Ready)
	free, n := uint64(0), uint64(0)
	for ; !done.Load(); n++ {
		binary.NativeEndian.PutUint64(p.mem[atPayload:], n)
		code, tr, err := p.request(64+n%1000*8, free)
		if err != nil || code != abi.BR_REPLY {
			return fmt.Errorf("call %d: %v, %w", n, code, err)
		}
		if got := binary.NativeEndian.Uint64(p.bytes(tr)); got != n || tr.DataSize != 64+n%1000*8 {
			return fmt.Errorf("call %d: reply %d of %d bytes", n, got, tr.DataSize)
		}
		free = tr.Buffer
	}
	p.close()
	fmt.Println(n)
	return d.Close()
}

// TestSurvival kills processes at seeded steps of the driver, most of them
// inside the driver lock, while others call each other: no call of theirs
// fails or gets a wrong reply, and nothing of the dead is left.
func TestSurvival(t *testing.T) {
	kills := 12
	if os.Getenv("IPCBENCH_LONG") == "1" {
		kills = 1000
	}
	dir := testDir(t)
	d, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	manager := manage(t, d)
	client, stop := startSurvivor(t, dir)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range kills {
		step := 1 + random.IntN(2000)
		cmd := command("victim", dir, strconv.Itoa(step))
		out, err := cmd.CombinedOutput()
		if status, ok := cmd.ProcessState.Sys().(interface{ Signal() unix.Signal }); !ok || status.Signal() != unix.SIGKILL {
			t.Fatalf("victim %d (step %d) did not kill itself: %v\n%s", i, step, err, out)
		}
	}
	calls := stop()
	if err := client.Wait(); err != nil || calls == 0 {
		t.Errorf("the survivor made %d calls: %v", calls, err)
	}
	awaitAlone(t, d)
	t.Logf("%d kills, %d of them inside the lock; the survivor made %d calls", kills, d.driver.Arena().Recoveries(), calls)
	manager()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// manage runs a context manager in this process. The function that it returns
// ends it and checks that it holds nothing of others any more.
func manage(t *testing.T, d *Device) (end func()) {
	t.Helper()
	ready, ended := make(chan error), make(chan error)
	var p *peer
	var done atomic.Bool
	go func() {
		runtime.LockOSThread()
		var err error
		if p, err = newPeer(d); err == nil {
			err = p.f.Ioctl(p.tid, uint32(abi.BINDER_SET_CONTEXT_MGR), 0)
		}
		ready <- err
		for err == nil && !done.Load() {
			err = p.serveOne()
		}
		ended <- err
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := d.driver.Check(); err != nil {
			t.Error(err)
		}
		s := d.driver.State()
		if len(s.Procs) != 1 || len(s.DeadNodes) != 0 || len(s.Procs[0].Refs) != 0 || len(s.Procs[0].Buffers) != 0 || s.Active.Transactions != 0 {
			var text strings.Builder
			_ = s.WriteState(&text)
			t.Errorf("left of the dead:\n%s", text.String())
		}
		done.Store(true)
		_ = p.f.Close()
		<-ended
		_ = p.m.Unmap(0, p.m.Len())
	}
}

// serveOne answers what one read brings, with its own payload.
func (p *peer) serveOne() error {
	if err := p.call(nil, 256); err != nil {
		return err
	}
	dec := abi.NewDecoder[abi.Return](p.out)
	for {
		code, payload, err := dec.Next()
		if err != nil {
			return nil
		}
		if code != abi.BR_TRANSACTION {
			continue
		}
		var tr abi.TransactionData
		tr.Decode(payload)
		copy(p.mem[atPayload:], p.bytes(tr))
		var buf [128]byte
		e := abi.NewEncoder[abi.Command](buf[:])
		e.Uint64(abi.BC_FREE_BUFFER, tr.Buffer)
		if tr.Flags&abi.TF_ONE_WAY == 0 {
			e.Transaction(abi.BC_REPLY, &abi.TransactionData{DataSize: tr.DataSize, Buffer: p.addr(atPayload)})
		}
		if err := p.call(e.Bytes(), 0); err != nil {
			return err
		}
	}
}

// startSurvivor starts a survivor, and returns a function that ends it and
// says how many calls it made.
func startSurvivor(t *testing.T, dir string) (*child.Child, func() int) {
	t.Helper()
	c := start(t, "survivor", dir)
	return c, func() int {
		_ = c.In.Close()
		line, _ := c.Out.ReadString('\n')
		n, _ := strconv.Atoi(strings.TrimSpace(line))
		return n
	}
}

// awaitAlone waits until all other members are gone.
func awaitAlone(t *testing.T, d *Device) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(d.driver.Members()) > 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d members are left", len(d.driver.Members()))
		}
	}
}

// TestStoppedInsideTheLock: a process that is stopped while it holds the
// driver lock delays the others and is named; when it continues, all go on.
func TestStoppedInsideTheLock(t *testing.T) {
	dir := testDir(t)
	d, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	manager := manage(t, d)
	client, end := startSurvivor(t, dir)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		stop(t, client)
		pid, _ := d.Holder()
		if pid == int32(client.Process.Pid) {
			delayed(t, d, client)
			calls := end()
			if err := client.Wait(); err != nil || calls == 0 {
				t.Errorf("the client made %d calls: %v", calls, err)
			}
			awaitAlone(t, d)
			manager()
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			return
		}
		_ = client.Process.Signal(unix.SIGCONT)
		time.Sleep(50 * time.Microsecond) // let it come to another point
	}
	t.Skip("the client was never stopped inside the lock")
}

// delayed checks that nobody gets the lock while the holder is stopped, and
// that somebody does when it continues.
func delayed(t *testing.T, d *Device, client *child.Child) {
	t.Helper()
	got := make(chan struct{})
	go func() {
		d.driver.Members()
		close(got)
	}()
	select {
	case <-got:
		t.Error("the lock was taken from a process that is only stopped")
	case <-time.After(50 * time.Millisecond):
	}
	if err := client.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	<-got
}
