package claims

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"ipcbench/harness/claims/cast"
	"ipcbench/ipc/binder/device"
)

var procsAndThreads = Define(Meta{
	ID: "C14",
	Statement: "The driver keeps a binder_proc for each process that uses Binder, all of them in a list, and in it a tree " +
		"of the process's binder_threads; on the other side a process has one ProcessState, and a thread one IPCThreadState.",
	Source: "D2 part 3",
	Refutation: "A process or thread that was started and that the driver does not show, or shows twice; a thread it shows " +
		"that nobody started; threads out of the order of a tree keyed by thread id; a second ProcessState in a process.",
	Experiment: "Five processes of 1, 2, 4, 8 and 16 threads open a device; the driver's own live dump is compared with what " +
		"each process says of itself. Then a process opens the device a second time, past its ProcessState.",
}, measureProcs, judgeProcs)

// procNumbers is what was started and what the driver showed of it.
type procNumbers struct {
	// Processes that were started, and of those the ones with exactly one
	// binder_proc in the dump.
	Processes, WithOneProc int
	// Threads that have made a call, those that the dump has, and those in the
	// dump that nobody knows of.
	Threads, ThreadsShown, ThreadsUnknown int
	// Ordered dumps list each process's threads by ascending id.
	Ordered bool
	// SecondStates is how many processes got a second ProcessState of the device;
	// SharedStates how many pairs of threads share an IPCThreadState, or threads
	// have two.
	SecondStates, SharedStates int
	// ProcsOfTwoOpens is how many binder_procs a process has that opened the
	// device a second time, past its ProcessState.
	ProcsOfTwoOpens int
}

func judgeProcs(n procNumbers) Judgement {
	text := fmt.Sprintf("%d of %d processes have one binder_proc; %d of %d threads are in its tree, and %d that nobody started; "+
		"%d second ProcessStates, %d IPCThreadStates shared; a process that opens the device twice has %d binder_procs",
		n.WithOneProc, n.Processes, n.ThreadsShown, n.Threads, n.ThreadsUnknown, n.SecondStates, n.SharedStates, n.ProcsOfTwoOpens)
	switch {
	case n.Processes < 2 || n.Threads < 2:
		return Judgement{Verdict: Inconclusive, Text: text}
	case n.WithOneProc < n.Processes, n.ThreadsShown < n.Threads, n.ThreadsUnknown > 0, !n.Ordered,
		n.SecondStates > 0, n.SharedStates > 0:
		return Judgement{Verdict: Refuted, Text: text}
	case n.ProcsOfTwoOpens > 1:
		return Judgement{Verdict: Conditional, Text: text,
			When:       "a process opens the device once, which its ProcessState sees to: the driver makes a binder_proc for each open",
			Confidence: "the driver's own live dump, compared with each process's word"}
	}
	return Judgement{Verdict: Supported, Text: text, Confidence: "the driver's own live dump, compared with each process's word"}
}

// crowds are how many threads the processes of the experiment have.
var crowds = []int{1, 2, 4, 8, 16}

func measureProcs(_ context.Context, _ *Bench, subject Subject) (n procNumbers, err error) {
	s, err := openSession(subject, servantProps{MaxThreads: 0})
	if err != nil {
		return n, err
	}
	defer closing(s.close, &err)
	if _, err := s.view("state"); err != nil {
		return n, err
	}
	said := map[int]crowdReport{}
	for _, threads := range crowds {
		a, err := s.start(crowdPart, threads)
		if err != nil {
			return n, err
		}
		defer closing(a.End, &err)
		var r crowdReport
		if err := a.Hear(&r); err != nil {
			return n, err
		}
		said[a.PID()] = r
	}
	text, err := s.view("state")
	if err != nil {
		return n, err
	}
	n = compareProcs(parseDump(text), said)
	n.ProcsOfTwoOpens, err = s.procsOfTwoOpens()
	return n, err
}

// compareProcs sets what processes said of themselves against the driver's dump.
func compareProcs(d dump, said map[int]crowdReport) procNumbers {
	n := procNumbers{Ordered: true}
	for pid, r := range said {
		n.Processes++
		n.Threads += len(r.Threads)
		n.SharedStates += r.SharedStates
		if r.SecondState {
			n.SecondStates++
		}
		procs := d.of(pid)
		if len(procs) == 1 {
			n.WithOneProc++
		}
		for _, p := range procs {
			n.Ordered = n.Ordered && slices.IsSortedFunc(p.Threads, func(a, b dumpedThread) int { return int(a.TID - b.TID) })
			for _, t := range p.Threads {
				if slices.Contains(r.Threads, t.TID) {
					n.ThreadsShown++
				} else {
					n.ThreadsUnknown++
				}
			}
		}
	}
	return n
}

// procsOfTwoOpens opens the device once more in this process, and counts its
// binder_procs.
func (s *session) procsOfTwoOpens() (procs int, err error) {
	var second device.File
	if second, err = s.device.Device.Open(0); err != nil {
		return 0, err
	}
	defer closing(second.Close, &err)
	text, err := s.view("state")
	return len(parseDump(text).of(unix.Getpid())), err
}

// A crowd is a process with threads that each have made a call and stay.
var crowdPart = cast.Register("crowd", playCrowd)
