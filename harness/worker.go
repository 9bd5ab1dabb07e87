package harness

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"ipcbench/harness/control"
	"ipcbench/harness/floor"
	"ipcbench/ipc"
)

// WorkerArgument, alone on a command line, makes the program a worker: main
// hands over to RunWorker then.
const WorkerArgument = "__worker"

// controlFD is where a worker finds its control channel; the handover's files
// follow.
const controlFD = 3

// floorPrefix tells floors from transports in an assignment.
const floorPrefix = "floor:"

var floors = ipc.NewRegistry(floor.Composite{}, floor.Broker{}, floor.Memcpy{})

func lookup(transports *ipc.Registry, name string) (ipc.Transport, error) {
	if len(name) > len(floorPrefix) && name[:len(floorPrefix)] == floorPrefix {
		return floors.Lookup(name[len(floorPrefix):])
	}
	return transports.Lookup(name)
}

// worker is this process's end of one channel.
type worker struct {
	line   *control.Conn
	orders <-chan order
	task   assignment
	info   ipc.Info
	end    end
	// close lets go of the channel and ends the profile, once: whoever calls it
	// returns when that is done, so that no process ends in the middle of it.
	close func()
	// sessions since garbage was collected.
	sessions int
}

// collectEvery is how many sessions a worker makes between collections: the
// most garbage of a session is an encoded histogram.
const collectEvery = 16

// end is the role's part of a worker.
type end interface {
	// session carries one session out and answers the harness.
	session(session) error
	Close() error
}

// RunWorker is a worker process's main. It returns the exit status. A worker
// whose harness is gone lets go of its channel, which removes what would
// outlive the processes, and exits.
func RunWorker(transports *ipc.Registry) int {
	if err := unix.SetNonblock(controlFD, true); err != nil {
		fmt.Fprintln(os.Stderr, "ipcbench: a worker is started by ipcbench run, not by hand")
		return 2
	}
	w := &worker{line: control.Open(os.NewFile(controlFD, "control"))}
	if err := w.run(transports); err != nil {
		w.line.Send(answer{Error: err.Error(), Protocol: protocolVersion})
		return 1
	}
	return 0
}

func (w *worker) run(transports *ipc.Registry) error {
	var first order
	err := w.line.Receive(&first, 0)
	if err != nil || first.Assign == nil {
		return fmt.Errorf("no assignment: %w", err)
	}
	w.task = *first.Assign
	stopProfile, err := startProfile(w.task)
	if err != nil {
		return err
	}
	transport, err := lookup(transports, w.task.Transport)
	if err != nil {
		return err
	}
	w.info = transport.Info()
	if w.end, err = w.open(transport); err != nil {
		return err
	}
	w.close = sync.OnceFunc(func() {
		w.end.Close()
		stopProfile()
	})
	defer w.close()
	w.orders = w.listen()
	if err := w.line.Send(answer{Ready: true, Protocol: protocolVersion}); err != nil {
		return err
	}
	return w.work()
}

func (w *worker) open(t ipc.Transport) (end, error) {
	h := ipc.Handover{Data: w.task.Data}
	for i := range w.task.Files {
		fd := uintptr(controlFD + 1 + i)
		unix.CloseOnExec(int(fd))
		h.Files = append(h.Files, os.NewFile(fd, fmt.Sprintf("handover %d", i)))
	}
	switch w.task.Role {
	case serverRole:
		return openServer(w, t, h)
	case clientRole:
		return openClient(w, t, h)
	case brokerRole:
		return openBroker(w, t, h)
	case agentRole:
		return openAgent(w, t)
	}
	return nil, fmt.Errorf("no role %q", w.task.Role)
}

// listen reads orders. The end of the line ends the process from here, since
// the threads that could notice may be blocked in the kernel for ever.
func (w *worker) listen() <-chan order {
	orders := make(chan order)
	go func() {
		for {
			var o order
			if err := w.line.Receive(&o, 0); err != nil {
				w.close()
				os.Exit(lostLine(err))
			}
			orders <- o
		}
	}()
	return orders
}

func lostLine(err error) (status int) {
	if errors.Is(err, io.EOF) {
		return 0
	}
	return 2
}

func (w *worker) work() error {
	for o := range w.orders {
		switch {
		case o.Quit:
			return nil
		case o.Session != nil:
			if err := w.end.session(*o.Session); err != nil {
				return err
			}
		}
	}
	return nil
}

// await takes orders until one of them is what the session waits for.
func (w *worker) await(wanted func(order) bool) {
	for o := range w.orders {
		if wanted(o) {
			return
		}
	}
}

// finish collects garbage while no thread is in the kernel, then reports: the
// next round may be another cell's.
func (w *worker) finish(r *report) error {
	if w.sessions++; w.sessions%collectEvery == 0 && !w.info.RuntimeSafe {
		runtime.GC()
	}
	return w.line.Send(answer{Report: r})
}
