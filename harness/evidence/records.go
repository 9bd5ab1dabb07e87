package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

var (
	errLost   = errors.New("records were lost")
	errRecord = errors.New("damaged record")
)

// recordHeader is what every record of a perf ring begins with: type (32 bits),
// miscellany (16) and size with the header (16).
const recordHeader = 8

// eachSample calls f with the body of each sample in log, which holds whole
// records of a perf ring.
func eachSample(log []byte, f func(body []byte) error) error {
	for len(log) > 0 {
		if len(log) < recordHeader {
			return fmt.Errorf("%w: %d bytes", errRecord, len(log))
		}
		kind := binary.NativeEndian.Uint32(log)
		size := int(binary.NativeEndian.Uint16(log[6:]))
		if size < recordHeader || size > len(log) {
			return fmt.Errorf("%w: size %d of %d", errRecord, size, len(log))
		}
		body := log[recordHeader:size]
		log = log[size:]
		switch kind {
		case unix.PERF_RECORD_LOST, unix.PERF_RECORD_LOST_SAMPLES, unix.PERF_RECORD_THROTTLE:
			return errLost
		case unix.PERF_RECORD_SAMPLE:
			if err := f(body); err != nil {
				return err
			}
		}
	}
	return nil
}

// rawSample is the tracepoint record in a sample of raw data only: its size in 32
// bits, then it.
func rawSample(body []byte) ([]byte, error) {
	if len(body) < 4 {
		return nil, fmt.Errorf("%w: sample of %d bytes", errRecord, len(body))
	}
	size := binary.NativeEndian.Uint32(body)
	if uint64(size) > uint64(len(body)-4) {
		return nil, fmt.Errorf("%w: sample of %d bytes says %d", errRecord, len(body), size)
	}
	return body[4 : 4+size], nil
}

// pairing is what the log of one thread came to.
type pairing struct {
	calls []done
	// enters and exits seen, to hold against what the kernel counted.
	enters, exits uint64
}

// pair joins each entry to its return; open is the call that was under way when
// the log began, or nil. A call counts where it returns, as it does in the ledger:
// one that is under way at the end of the log is left out.
func (t tracepoints) pair(log []byte, open *done) (pairing, error) {
	var p pairing
	err := eachSample(log, func(body []byte) error {
		record, err := rawSample(body)
		if err != nil {
			return err
		}
		if len(record) < 2 {
			return fmt.Errorf("%w: no type", errRecord)
		}
		switch binary.NativeEndian.Uint16(record) {
		case t.enter.id:
			d, err := t.entry(record)
			p.enters++
			open = &d
			return err
		case t.exit.id:
			nr, result, err := t.outcome(record)
			p.exits++
			if open != nil && open.nr == nr {
				open.result = result
				p.calls = append(p.calls, *open)
			}
			open = nil
			return err
		}
		return fmt.Errorf("%w: of another tracepoint", errRecord)
	})
	return p, err
}

func (t tracepoints) entry(record []byte) (d done, err error) {
	nr, ok := t.enter.word(record, "id", 0)
	d.nr = nr
	for i := range d.args {
		var has bool
		d.args[i], has = t.enter.word(record, "args", i)
		ok = ok && has
	}
	if !ok {
		err = fmt.Errorf("%w: sys_enter of %d bytes", errRecord, len(record))
	}
	return d, err
}

func (t tracepoints) outcome(record []byte) (nr, result int64, err error) {
	nr, hasNr := t.exit.word(record, "id", 0)
	result, hasResult := t.exit.word(record, "ret", 0)
	if !hasNr || !hasResult {
		err = fmt.Errorf("%w: sys_exit of %d bytes", errRecord, len(record))
	}
	return nr, result, err
}
