package claims

import (
	"errors"
	"io"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"ipcbench/harness/claims/cast"
	"ipcbench/ipc/binder"
)

// crowdReport is what a crowd says of itself.
type crowdReport struct {
	// Threads are the ids of all threads that have talked to the driver.
	Threads []int32
	// SecondState: the process got a second ProcessState of the device.
	SecondState bool
	// SharedStates is how many threads have another one's IPCThreadState, or two.
	SharedStates int
}

// crowd is the process while its threads come.
type crowd struct {
	ps      *binder.ProcessState
	gate    chan struct{}
	arrived sync.WaitGroup

	mu     sync.Mutex
	report crowdReport
	states map[*binder.IPCThreadState]bool
	err    error
}

func playCrowd(stage *cast.Stage) error {
	var threads int
	if err := stage.Props(&threads); err != nil {
		return err
	}
	dev, err := stage.Open()
	if err != nil {
		return err
	}
	runtime.LockOSThread() // the thread that opens the device is one of the crowd
	c := &crowd{gate: make(chan struct{}), states: map[*binder.IPCThreadState]bool{}}
	if c.ps, err = binder.Open(dev, binder.WithMaxThreads(0)); err != nil {
		return errors.Join(err, closeDevice(dev))
	}
	err = c.gather(stage, threads)
	return errors.Join(err, c.ps.Close(), closeDevice(dev))
}

// gather brings the threads together, this goroutine's among them, says who they
// are, and keeps them until the experiment ends.
func (c *crowd) gather(stage *cast.Stage, threads int) error {
	var left sync.WaitGroup
	c.arrived.Add(threads - 1)
	for range threads - 1 {
		left.Go(c.member)
	}
	mine := c.attach()
	c.arrived.Wait()
	_, err := binder.Open(c.ps.Device())
	c.report.SecondState = err == nil
	if err = errors.Join(mine, c.err); err == nil {
		err = stage.Say(c.report)
	}
	if err == nil {
		err = stage.Hear(new(any))
	}
	close(c.gate)
	left.Wait()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// member is the life of a thread.
func (c *crowd) member() {
	if err := c.attach(); err != nil {
		c.mu.Lock()
		c.err = errors.Join(c.err, err)
		c.mu.Unlock()
	}
	c.arrived.Done()
	<-c.gate
}

// attach makes the calling goroutine's thread known to the driver.
func (c *crowd) attach() error {
	t, err := c.ps.Attach()
	if err != nil {
		return err
	}
	again, err := c.ps.Attach()
	if err != nil {
		return err
	}
	again.Detach()
	err = t.Transact(0, binder.PingTransaction, nil, nil, 0)
	c.mu.Lock()
	defer c.mu.Unlock()
	if again != t || c.states[t] {
		c.report.SharedStates++
	}
	c.states[t] = true
	c.report.Threads = append(c.report.Threads, int32(unix.Gettid()))
	return err
}
