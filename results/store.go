package results

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Errors of reading a stored result.
var (
	// ErrDamaged reports a file that is no JSON, ends too early, or holds
	// values that no run can give.
	ErrDamaged = errors.New("damaged result")
	// ErrForeign reports JSON that is no result, or one of another schema.
	ErrForeign = errors.New("not an ipcbench result")
)

const (
	// maxFile bounds a stored result in bytes; the default run takes less than
	// a thousandth of it.
	maxFile = 256 << 20
	// maxName bounds the names of transports, workloads, waits and
	// placements in bytes.
	maxName = 200
)

// ReadFile reads the result stored in a file. Errors name the file.
func ReadFile(name string) (*Result, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// Read reads one stored result and checks it: what it returns can be rendered
// and compared. It wraps ErrDamaged or ErrForeign. Fields that it does not know
// are left out, so that results of later versions of the same schema can be
// read.
func Read(from io.Reader) (*Result, error) {
	b, err := readBounded(from)
	if err != nil {
		return nil, err
	}
	if err := checkSchema(b, Schema); err != nil {
		return nil, err
	}
	var r Result
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	return &r, nil
}

// readBounded reads what may be a stored file.
func readBounded(from io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%w: larger than %d bytes", ErrDamaged, maxFile)
	}
	return b, err
}

// checkSchema tells foreign from damaged before the fields are looked at.
func checkSchema(b []byte, want string) error {
	if len(bytes.TrimSpace(b)) == 0 {
		return fmt.Errorf("%w: empty", ErrDamaged)
	}
	if !utf8.Valid(b) {
		return fmt.Errorf("%w: not UTF-8 text", ErrDamaged)
	}
	var head struct {
		Schema *string `json:"schema"`
	}
	err := json.Unmarshal(b, &head)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		return fmt.Errorf("%w: no object with a schema", ErrForeign)
	case err != nil:
		return fmt.Errorf("%w: %v", ErrDamaged, err)
	case head.Schema == nil:
		return fmt.Errorf("%w: no schema", ErrForeign)
	case *head.Schema != want:
		return fmt.Errorf("%w: schema %.60q, want %q", ErrForeign, *head.Schema, want)
	}
	return nil
}

// check reports the first value that no run can give.
func (r *Result) check() error {
	for i := range r.Cells {
		if err := r.Cells[i].check(); err != nil {
			return fmt.Errorf("cell %d: %w", i, err)
		}
	}
	for i := range r.Floors {
		if err := r.Floors[i].check(); err != nil {
			return fmt.Errorf("floor %d: %w", i, err)
		}
	}
	return nil
}

func (c *Cell) check() error {
	return cmp.Or(
		checkName("transport", c.Transport), checkName("workload", c.Workload),
		checkName("wait", c.Wait), checkName("placement", c.Placement), checkVariant(c.Variant),
		checkCounts(c.RequestBytes, c.ReplyBytes, c.Clients, c.Rounds),
		c.Latency.check(), checkRounds(c.RoundP50NS, c.PerRound),
		checkFigures(c.OperationsPerSecond, c.PayloadBytesPerSecond, c.SyscallsPerOp,
			c.ContextSwitchesPerOp, c.PageFaultsPerOp, c.CPUNSPerOp, c.MissedPerOp, c.FloorRatio,
			c.Copies.BytesPerOp, c.Copies.HeaderBytesPerOp, value(c.Copies.Request), value(c.Copies.Reply)),
		checkFigures(slices.Collect(maps.Values(c.Copies.BySite))...),
	)
}

func (f *Floor) check() error {
	return cmp.Or(
		checkName("kind", f.Kind),
		checkCounts(f.RequestBytes, f.ReplyBytes),
		f.Latency.check(), checkRounds(f.RoundP50NS, nil), checkFigures(f.CPUNSPerOp),
	)
}

func (l *Latency) check() error {
	ascending := []float64{}
	for _, v := range []*float64{l.Min, l.P50, l.P90, l.P99, l.P999, l.P9999, l.Max} {
		if v != nil {
			ascending = append(ascending, *v)
		}
	}
	if !slices.IsSorted(ascending) {
		return errors.New("percentiles do not ascend")
	}
	if l.P50CI != nil {
		if l.P50CI[0] > l.P50CI[1] {
			return errors.New("the interval for p50 ends before it begins")
		}
		ascending = append(ascending, l.P50CI[0], l.P50CI[1])
	}
	return checkFigures(append(ascending, value(l.Mean))...)
}

func checkRounds(p50 [][]float64, others [][]Round) error {
	for _, generation := range p50 {
		if err := checkFigures(generation...); err != nil {
			return err
		}
	}
	for _, generation := range others {
		for _, r := range generation {
			if err := checkFigures(r.P90NS, r.P99NS, r.SyscallsPerOp, r.CPUNSPerOp, float64(r.ElapsedNS)); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxFigure is above every figure of a run: 30 years in nanoseconds. Sums and
// squares of figures below it stay finite.
const maxFigure = 1e18

func checkFigures(figures ...float64) error {
	for _, f := range figures {
		if !(f >= 0 && f <= maxFigure) || math.IsNaN(f) {
			return fmt.Errorf("impossible figure %g", f)
		}
	}
	return nil
}

func checkCounts(counts ...int) error {
	for _, n := range counts {
		if n < 0 {
			return fmt.Errorf("negative count %d", n)
		}
	}
	return nil
}

// checkName accepts what a flag could have said.
func checkName(what, name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("%s name of %d bytes", what, len(name))
	}
	for _, c := range name {
		if !unicode.IsGraphic(c) {
			return fmt.Errorf("%s name %q", what, name)
		}
	}
	return nil
}

// checkVariant is checkName for what most cells have none of.
func checkVariant(variant string) error {
	if variant == "" {
		return nil
	}
	return checkName("variant", variant)
}

// value of an optional figure, 0 where it is absent.
func value(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}
