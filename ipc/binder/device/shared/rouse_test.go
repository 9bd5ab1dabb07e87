package shared

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

func init() {
	roles["receiver"] = receive
	roles["forgetter"] = forget
}

// sends is how many oneway calls a forgetter makes; it dies in the last.
const sends = 3

// receive is a context manager that says so for each call that it receives. Its
// arguments are the directory and how it waits.
func receive(args []string) error {
	runtime.GOMAXPROCS(4)
	p, err := becomeManager(benchOptions(args[0], args[1]))
	if err != nil {
		return err
	}
	for {
		p.out = nil
		code, tr, err := p.next()
		if err != nil {
			return err
		}
		fmt.Println(code)
		var buf [16]byte
		e := abi.NewEncoder[abi.Command](buf[:])
		e.Uint64(abi.BC_FREE_BUFFER, tr.Buffer)
		if err := p.call(e.Bytes(), 0); err != nil {
			return err
		}
	}
}

// forget sends oneway calls to a manager that sleeps. It dies in the last of
// them, at the step that its second argument says: when it has committed what it
// will wake the manager for (it learns from the calls before which commit of a
// call that is), when it has changed the manager's wait word, or when it has
// unlocked after that.
func forget(args []string) error {
	at, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	commits, decisive, changed, last := 0, 0, false, false
	thread := unix.Gettid()
	d, p, err := join(Options{Dir: args[0], Step: func(s arena.Step) {
		if unix.Gettid() != thread {
			return // the watch
		}
		switch s {
		case arena.StepCommitted:
			commits++
		case arena.StepWaitWord:
			changed = true
			decisive = commits
		}
		if last && s == arena.Step(at) && (changed || s == arena.StepCommitted && commits == decisive) {
			_ = unix.Kill(os.Getpid(), unix.SIGKILL)
		}
	}})
	if err != nil {
		return err
	}
	var buf [128]byte
	e := abi.NewEncoder[abi.Command](buf[:])
	e.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{Flags: abi.TF_ONE_WAY, DataSize: 64, Buffer: p.addr(atPayload)})
	for i := range sends {
		if err := awaitAsleep(d); err != nil {
			return err
		}
		commits, changed, last = 0, false, i == sends-1
		if err := p.call(e.Bytes(), 256); err != nil {
			return err
		}
	}
	return fmt.Errorf("still alive: commit %d of %d is the decisive one", decisive, commits)
}

// awaitAsleep waits until the manager's thread sleeps.
func awaitAsleep(d *Device) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		s := d.driver.State()
		for _, p := range s.Procs {
			if p.PID != s.Manager || len(p.Threads) != 1 || !p.Threads[0].Waiting {
				continue
			}
			if state, err := threadState(int(p.PID), int(p.Threads[0].TID)); err != nil || state == "S" {
				return err
			}
		}
	}
	return fmt.Errorf("the manager does not sleep")
}

// threadState is a thread's state as proc(5) names it.
func threadState(pid, tid int) (string, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return "", err
	}
	th, err := p.Thread(tid)
	if err != nil {
		return "", err
	}
	stat, err := th.Stat()
	return stat.State, err
}

// TestForgottenSleeper: a thread that sleeps without end is woken although the
// process that gave it work dies when the work is committed, when the wait word
// is changed, or when the lock is free again, but before it wakes the sleeper.
func TestForgottenSleeper(t *testing.T) {
	for _, wait := range []string{"block", "safe"} {
		for _, step := range []arena.Step{arena.StepCommitted, arena.StepWaitWord, arena.StepUnlocked} {
			t.Run(fmt.Sprintf("%s/%v", wait, step), func(t *testing.T) {
				dir := testDir(t)
				receiver := start(t, "receiver", dir, wait)
				stuck := time.AfterFunc(10*time.Second, func() { _ = receiver.Process.Kill() })
				defer stuck.Stop()
				if text, err := command("forgetter", dir, strconv.Itoa(int(step))).CombinedOutput(); err == nil || len(text) > 0 {
					t.Fatalf("the sender did not die in its last call: %v, %s", err, text)
				}
				for i := range sends {
					if _, err := receiver.Out.ReadString('\n'); err != nil {
						t.Fatalf("call %d of %d does not arrive: its receiver sleeps", i+1, sends)
					}
				}
			})
		}
	}
}
