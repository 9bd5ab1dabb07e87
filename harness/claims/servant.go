package claims

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/harness/claims/cast"
	"ipcbench/internal/sys"
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/parcel"
)

// The servant is the server of most experiments: the object behind handle 0, with
// a pool of threads, which notes who served what.
var servantPart = cast.Register("servant", playServant)

// What the servant's object can be asked for.
const (
	// codeEcho answers with the request.
	codeEcho = binder.FirstCallTransaction + iota
	// codeProduce answers with as many bytes as the request, an int32, says.
	// Each 8 of them begin with the number that follows it, an int64.
	codeProduce
	// codeHold answers when the experiment releases it.
	codeHold
	// codeSleep answers after as many microseconds as the request, an int32, says.
	codeSleep
	// codeCallBack calls the object in the request, and answers when that has.
	codeCallBack
)

// servantProps are how the servant sets itself up.
type servantProps struct {
	// MaxThreads is how many loopers the driver may ask for beside the first.
	MaxThreads int
	// Join has the main thread join the pool as well.
	Join bool
	// Trace has the driver's steps noted.
	Trace bool
}

// servantOrder is what the experiment tells the servant: to let so many held
// calls go, and to show its log.
type servantOrder struct {
	Release int
}

// servantLog is what the servant has noted since it began.
type servantLog struct {
	// Loopers are the threads of the pool, in the order in which they began.
	Loopers []looperStart
	// Served is how many calls each thread has served, by its id.
	Served map[int32]int
	// Inside is how many calls are being served now, Peak the most there were.
	Inside, Peak int
	// Changes are when the number of calls inside changed, and to what.
	Changes []insideChange
	// Spawned is how often the driver asked for a looper.
	Spawned int
	// Events are what was traced.
	Events []traceEvent `json:",omitempty"`
}

// looperStart is a thread that joins the pool, at a time of CLOCK_MONOTONIC in
// nanoseconds.
type looperStart struct {
	TID int32
	At  int64
}

type insideChange struct {
	At     int64
	Inside int
}

// maxChanges bounds a log.
const maxChanges = 20000

type servantState struct {
	ps      *binder.ProcessState
	release chan struct{}

	mu  sync.Mutex
	log servantLog
}

func playServant(stage *cast.Stage) error {
	var props servantProps
	if err := stage.Props(&props); err != nil {
		return err
	}
	dev, err := stage.Open()
	if err != nil {
		return err
	}
	s := &servantState{release: make(chan struct{}, 1024)}
	s.log.Served = map[int32]int{}
	var trace *tracer
	if props.Trace {
		trace = newTracer(dev)
		dev = trace
	}
	if err := s.serve(stage, dev, props, trace); err != nil {
		return errors.Join(err, closeDevice(dev))
	}
	return closeDevice(dev)
}

func (s *servantState) serve(stage *cast.Stage, dev device.Device, props servantProps, trace *tracer) (err error) {
	s.ps, err = binder.Open(dev, binder.WithMaxThreads(props.MaxThreads),
		binder.WithLooperHooks(s.begin, func(*binder.IPCThreadState) {}))
	if err != nil {
		return err
	}
	object := s.ps.NewBinder("org.ipcbench.IServant", s)
	if err = s.ps.BecomeContextManager(object); err == nil {
		err = s.ps.StartThreadPool()
	}
	joined := make(chan error, 1)
	joined <- nil
	if err == nil && props.Join {
		<-joined
		go func() { joined <- s.ps.JoinThreadPool() }()
	}
	if err == nil {
		err = s.obey(stage, trace)
	}
	close(s.release)
	return errors.Join(err, s.ps.Close(), <-joined)
}

// obey answers each order with the log, until the experiment ends.
func (s *servantState) obey(stage *cast.Stage, trace *tracer) error {
	for {
		s.mu.Lock()
		log := s.log
		log.Spawned = s.ps.Spawned()
		if trace != nil {
			log.Events = trace.all()
		}
		err := stage.Say(log)
		s.mu.Unlock()
		if err != nil {
			return err
		}
		var order servantOrder
		if err := stage.Hear(&order); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		for range order.Release {
			s.release <- struct{}{}
		}
	}
}

func (s *servantState) begin(*binder.IPCThreadState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Loopers = append(s.log.Loopers, looperStart{int32(unix.Gettid()), sys.Monotonic()})
}

// enter notes that a call is served from now on, and leave that it was.
func (s *servantState) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Served[int32(unix.Gettid())]++
	s.log.Peak = max(s.log.Peak, s.log.Inside+1)
	s.change(1)
}

func (s *servantState) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change(-1)
}

func (s *servantState) change(by int) {
	s.log.Inside += by
	if len(s.log.Changes) < maxChanges {
		s.log.Changes = append(s.log.Changes, insideChange{sys.Monotonic(), s.log.Inside})
	}
}

// OnTransact serves a call.
func (s *servantState) OnTransact(call *binder.Call) error {
	s.enter()
	defer s.leave()
	switch call.Code {
	case codeEcho:
		call.Reply.Write(call.Data.Bytes())
		return nil
	case codeProduce:
		return produce(call.Data, call.Reply)
	case codeHold:
		<-s.release
		return nil
	case codeSleep:
		us, err := call.Data.ReadInt32()
		time.Sleep(time.Duration(us) * time.Microsecond)
		return err
	case codeCallBack:
		back, err := s.ps.ReadStrongBinder(call.Data)
		if err != nil {
			return err
		}
		defer back.Close()
		return back.Transact(codeEcho, nil, nil, 0)
	}
	return binder.UnknownTransaction
}

// produce fills a reply with the bytes that were asked for.
func produce(request, reply *parcel.Parcel) error {
	size, err := request.ReadInt32()
	if err != nil {
		return err
	}
	stamp, err := request.ReadUint64()
	if err != nil || size < 0 || size > maxProduct {
		return fmt.Errorf("produce %d bytes: %w", size, errors.Join(err, binder.BadValue))
	}
	fillStamps(reply.Append(int(size)), stamp)
	return nil
}

// maxProduct is more than any region takes.
const maxProduct = 8 << 20

// closeDevice lets go of a device that holds something beside its files.
func closeDevice(dev device.Device) error {
	if c, ok := dev.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
