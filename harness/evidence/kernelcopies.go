package evidence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// copyFunction is a function of the kernel that copies between user memory and its
// own, and which of its arguments, from 0, is the number of bytes.
type copyFunction struct {
	name   string
	amount int
}

// copyFunctions are those at the end of every path: what pipes and sockets call
// for a page comes down to the first two, message queues and Binder use the others.
// None calls another. There are as many as a processor has breakpoints.
var copyFunctions = []copyFunction{
	{"_copy_from_iter", 1},
	{"_copy_to_iter", 1},
	{"_copy_from_user", 2},
	{"_copy_to_user", 2},
}

// argumentRegisters are the numbers by which perf knows the registers of the first
// three arguments (asm/perf_regs.h).
var argumentRegisters = map[string][3]uint64{
	"amd64": {5, 4, 3}, // DI, SI, DX
	"arm64": {0, 1, 2},
}

// breakpoints are those at the copy functions: their addresses, and the registers
// that the numbers of bytes are in.
type breakpoints struct {
	addresses []uint64
	registers []uint64
}

// probeCopies looks for the functions, once, and tries breakpoints on this thread.
var probeCopies = sync.OnceValues(func() (breakpoints, error) {
	arguments, known := argumentRegisters[runtime.GOARCH]
	if !known {
		return breakpoints{}, fmt.Errorf("%w: registers of arguments are not known for %s", errors.ErrUnsupported, runtime.GOARCH)
	}
	symbols, err := os.ReadFile("/proc/kallsyms")
	if err != nil {
		return breakpoints{}, fmt.Errorf("symbols of the kernel: %w: %w", errors.ErrUnsupported, err)
	}
	var b breakpoints
	for _, f := range copyFunctions {
		address, err := addressOf(f.name, symbols)
		if err != nil {
			return breakpoints{}, err
		}
		b.addresses = append(b.addresses, address)
		b.registers = append(b.registers, arguments[f.amount])
	}
	events, err := b.open(unix.Gettid())
	for _, event := range events {
		unix.Close(event)
	}
	if errors.Is(err, unix.EINVAL) {
		err = fmt.Errorf("%w: a kernel without kprobes lets no breakpoints be set in it: %w", errors.ErrUnsupported, err)
	}
	return b, err
})

// addressOf finds a function in /proc/kallsyms, whose lines are an address, the kind
// and the name. Who may not see addresses sees zeros.
func addressOf(function string, symbols []byte) (uint64, error) {
	at := bytes.Index(symbols, []byte(" T "+function+"\n"))
	if at < 0 {
		return 0, fmt.Errorf("%w: the kernel has no function %s", errors.ErrUnsupported, function)
	}
	line := symbols[bytes.LastIndexByte(symbols[:at], '\n')+1 : at]
	address, err := strconv.ParseUint(string(line), 16, 64)
	if err == nil && address == 0 {
		err = fmt.Errorf("addresses of the kernel's functions are hidden: %w", fs.ErrPermission)
	}
	return address, err
}

// executed is HW_BREAKPOINT_X of linux/hw_breakpoint.h.
const executed = 4

// open opens an event for each function, whose samples are its id and the register
// that holds the number of bytes.
func (b breakpoints) open(tid int) (events []int, err error) {
	for i, f := range copyFunctions {
		event, err := openEvent(unix.PerfEventAttr{
			Type:             unix.PERF_TYPE_BREAKPOINT,
			Bp_type:          executed,
			Ext1:             b.addresses[i],      // bp_addr
			Ext2:             strconv.IntSize / 8, // bp_len: that of a long
			Sample_type:      unix.PERF_SAMPLE_IDENTIFIER | unix.PERF_SAMPLE_REGS_INTR,
			Sample_regs_intr: 1 << b.registers[i],
		}, tid)
		if err != nil {
			return events, fmt.Errorf("breakpoint at %s: %w", f.name, err)
		}
		events = append(events, event)
	}
	return events, nil
}

// KernelCopies are the calls of the kernel's copy functions in a pass.
type KernelCopies struct {
	// Functions are the calls and bytes of each, by its name.
	Functions map[string]CopySum
}

// CopySum is how often a function was called, and for how many bytes.
type CopySum struct{ Calls, Bytes uint64 }

// CopyTracer follows the kernel's copy functions in threads of other processes, for
// one pass: AttachCopies, Start, Stop, Close. It belongs to one goroutine.
type CopyTracer struct{ *follower }

// AttachCopies prepares to follow the targets. It fails with an error that wraps
// fs.ErrPermission where that is not permitted, errors.ErrUnsupported where the
// kernel lets no breakpoints be set in it. Close the tracer in the end.
func AttachCopies(targets ...Target) (*CopyTracer, error) {
	b, err := probeCopies()
	if err != nil {
		return nil, err
	}
	f, err := follow(b.open, targets)
	if err != nil {
		return nil, err
	}
	return &CopyTracer{f}, nil
}

// CopiesTraceable says whether AttachCopies can work here, and else why not.
func CopiesTraceable() error {
	_, err := probeCopies()
	return err
}

// Stop ends the pass, with the threads at rest again, and sums up. It fails if any
// call was missed.
func (t *CopyTracer) Stop() (*KernelCopies, error) {
	if err := t.stop(); err != nil {
		return nil, err
	}
	sums := &KernelCopies{Functions: make(map[string]CopySum)}
	for _, thread := range t.threads {
		if err := sums.add(thread); err != nil {
			return nil, fmt.Errorf("thread %d: %w", thread.tid, err)
		}
	}
	return sums, nil
}

// add sums a thread's log up, and holds it against the number of times that the
// kernel says each function was called.
func (c *KernelCopies) add(thread *followed) error {
	byID := make(map[uint64]*CopySum)
	sums := make([]CopySum, len(thread.events))
	for i, event := range thread.events {
		id, err := unix.IoctlGetInt(event, unix.PERF_EVENT_IOC_ID)
		if err != nil {
			return fmt.Errorf("id of a perf event: %w", err)
		}
		byID[uint64(id)] = &sums[i]
	}
	if err := sumCopies(thread.log, byID); err != nil {
		return err
	}
	for i, event := range thread.events {
		called, err := passed(event)
		if err != nil {
			return err
		}
		name := copyFunctions[i].name
		if called != sums[i].Calls {
			return fmt.Errorf("%w: %d of %d calls of %s seen", errLost, sums[i].Calls, called, name)
		}
		total := c.Functions[name]
		total.Calls += sums[i].Calls
		total.Bytes += sums[i].Bytes
		c.Functions[name] = total
	}
	return nil
}

// copySample is the event's id, the kind of the registers (0 if there are none),
// and the one register, in 64 bits each.
const copySample = 3 * 8

// sumCopies adds each sample of a log to the sum of its event.
func sumCopies(log []byte, byID map[uint64]*CopySum) error {
	return eachSample(log, func(body []byte) error {
		if len(body) != copySample {
			return fmt.Errorf("%w: sample of %d bytes", errRecord, len(body))
		}
		sum := byID[binary.NativeEndian.Uint64(body)]
		if sum == nil {
			return fmt.Errorf("%w: of another event", errRecord)
		}
		sum.Calls++
		sum.Bytes += binary.NativeEndian.Uint64(body[16:])
		return nil
	})
}
