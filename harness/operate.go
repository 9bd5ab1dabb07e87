package harness

import (
	"fmt"
	"time"

	"ipcbench/harness/pacing"
	"ipcbench/harness/record"
	"ipcbench/harness/workload"
	"ipcbench/ipc"
)

// replySeed tells a reply's verified bytes from its request's.
const replySeed = 0x5bd1e995

// operator makes the operations of one client's session, on the client's own
// thread.
type operator struct {
	session
	client   ipc.Client
	request  *ipc.Buffer
	clock    pacing.Clock
	recorder *record.Recorder

	// spare is where payload is produced that injected copies then move.
	spare []byte

	stamp      uint64
	operations uint64
	mismatches uint64
}

// run makes operations until the clock reaches until, or n of them if n is not
// 0, recording them if asked to. An open loop ends before that where it is behind
// by a whole session's time: at some rates it would never end.
func (o *operator) run(pacer *pacing.Pacer, until int64, n int, recording bool) error {
	burst := 1
	if o.OneWay {
		burst = workload.Burst(o.Request)
	}
	for done := 0; n == 0 || done < n; done += burst {
		start := pacer.Start()
		if n == 0 && (start >= until || pacer.GiveUp(int64(o.Time), until)) {
			break
		}
		if err := o.operate(burst); err != nil {
			return err
		}
		if recording {
			o.recorder.RecordBurst(o.clock.Now()-start, burst)
		}
		o.operations += uint64(burst)
	}
	return nil
}

// operate makes a burst of one-way requests and the call that ends it.
func (o *operator) operate(burst int) error {
	if o.Injection.Syscalls > 0 {
		o.addSyscalls()
	}
	for ; burst > 1; burst-- {
		o.produce()
		if err := o.client.Send(o.request); err != nil {
			return err
		}
	}
	o.produce()
	reply, err := o.client.Call(o.request)
	if err != nil {
		return err
	}
	if len(reply) != o.Reply {
		return fmt.Errorf("%w: a reply of %d bytes where %d were due", ipc.ErrProtocol, len(reply), o.Reply)
	}
	if !o.consume(reply) {
		o.mismatches++
	}
	if o.Injection.Delay > 0 {
		o.slowDown()
	}
	return nil
}

func (o *operator) produce() {
	o.stamp++
	switch o.Mode {
	case timedMode:
		if o.Injection.Copies > 0 {
			o.produceAside()
			return
		}
		workload.Produce(o.request.Bytes(), o.stamp)
	case verifyMode:
		seal(o.request.Bytes(), o.Seed+o.stamp)
	case canaryMode:
		workload.Fill(o.request.Bytes(), o.Seed)
	}
}

func (o *operator) consume(reply []byte) bool {
	switch o.Mode {
	case timedMode:
		return workload.Consume(reply, o.stampSeen())
	case verifyMode:
		seed := (o.Seed + o.stamp) & lowMask(o.Request)
		return sealed(reply, seed^replySeed)
	case canaryMode:
		return workload.Matches(reply, o.Seed^replySeed)
	}
	return true
}

// stampSeen is as much of the stamp as the server could read in the request.
func (o *operator) stampSeen() uint64 { return o.stamp & lowMask(o.Request) }

// lowMask keeps what a payload of n bytes holds of a stamp.
func lowMask(n int) uint64 {
	if n >= 8 {
		return ^uint64(0)
	}
	return 1<<(8*n) - 1
}

// seal fills a payload so that its reader can check every byte of it: its
// first 8 bytes are the seed of the rest.
func seal(p []byte, seed uint64) {
	n := min(8, len(p))
	workload.Produce(p[:n], seed)
	workload.Fill(p[n:], seed)
}

// sealed checks a payload whose seed is known.
func sealed(p []byte, seed uint64) bool {
	n := min(8, len(p))
	return workload.Consume(p[:n], seed) && workload.Matches(p[n:], seed)
}

// warm makes the operations before the clock counts, at the pace of those that
// follow: the cost of an operation is taken over both.
func (o *operator) warm() error {
	if o.WarmUp == 0 {
		return nil
	}
	return o.run(pacing.New(o.clock, o.Rate, o.Gap), o.clock.Now()+int64(o.WarmUp), 0, false)
}

// timed makes the operations that count. Of an open loop it tells how many began
// late, and how many it dropped.
func (o *operator) timed() (missed, dropped uint64, err error) {
	pacer := pacing.New(o.clock, o.Rate, o.Gap)
	err = o.run(pacer, o.clock.Now()+int64(o.Time), o.Operations, true)
	return pacer.Missed, pacer.Dropped, err
}

// sleepUntil sleeps until CLOCK_MONOTONIC reaches the time.
func sleepUntil(now, start int64) {
	if start > now {
		time.Sleep(time.Duration(start - now))
	}
}
