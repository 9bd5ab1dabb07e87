package compare

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"ipcbench/harness"
	"ipcbench/results"
)

// unclustered is the price of the text format.
const unclustered = "Go benchmark text does not tell generations: its lines are the sample, as benchstat has it"

// maxGoBench bounds Go benchmark text in bytes.
const maxGoBench = 64 << 20

// loadGoBench reads Go benchmark text, of ipcbench or of any Go benchmark.
func loadGoBench(name string) (*Measurements, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &Measurements{conditions: map[string]string{}, warnings: []string{unclustered}}
	byName := map[string]*row{}
	reader := benchfmt.NewReader(io.LimitReader(f, maxGoBench), name)
	for reader.Scan() {
		line, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		for key, condition := range map[string]string{"goos": "operating system", "goarch": "architecture", "cpu": "CPU",
			"kernel": "kernel", "cpus": "number of CPUs", "governor": "frequency governor"} {
			m.conditions[condition] = line.GetConfig(key)
		}
		full := line.Name.String()
		r := byName[full]
		if r == nil {
			r = &row{key: goKey(full), rounds: map[string][][]float64{}, counts: map[string]float64{}}
			byName[full] = r
			m.rows = append(m.rows, r)
		}
		if err := r.addLine(line); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, full, err)
		}
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(m.rows) == 0 {
		return nil, fmt.Errorf("%s: %w: neither a stored result nor Go benchmark text", name, results.ErrForeign)
	}
	return m, nil
}

// goUnits are units of the text, tidied by its reader, and what they are here.
var goUnits = map[string]struct {
	metric string
	scale  func(float64) float64
}{
	"p50-sec":        {"p50", nanoseconds},
	"p90-sec":        {"p90", nanoseconds},
	"p99-sec":        {"p99", nanoseconds},
	"sec/op":         {"throughput", func(v float64) float64 { return 1 / v }},
	"syscalls/op":    {"syscalls", nil},
	"request-copies": {"request_copies", nil},
	"reply-copies":   {"reply_copies", nil},
	"allocs/op":      {"allocations", nil},
	"B/op":           {"allocated_bytes", nil},
}

func nanoseconds(seconds float64) float64 { return seconds * 1e9 }

var errImpossible = errors.New("impossible figure")

// addLine adds one line, a generation of its own. Of a count the largest value
// stands.
func (r *row) addLine(line *benchfmt.Result) error {
	for _, v := range line.Values {
		unit, known := goUnits[v.Unit]
		if !known {
			continue
		}
		if !(v.Value >= 0) || math.IsInf(v.Value, 0) {
			return fmt.Errorf("%w %g %s", errImpossible, v.Value, v.Unit)
		}
		value := v.Value
		if unit.scale != nil && value > 0 {
			value = unit.scale(value)
		}
		if kindOf(unit.metric) == exact {
			r.counts[unit.metric] = max(r.counts[unit.metric], value)
		} else {
			r.rounds[unit.metric] = append(r.rounds[unit.metric], []float64{value})
		}
	}
	return nil
}

func kindOf(name string) kind {
	for _, m := range metrics {
		if m.name == name {
			return m.kind
		}
	}
	return ranked
}

// goKey is the cell that a benchmark of ipcbench names; of another one only its
// name is known, and stands for the transport.
func goKey(name string) harness.Key {
	fields := map[string]string{}
	for _, part := range strings.Split(name, "/")[1:] {
		key, value, _ := strings.Cut(part, "=")
		fields[key] = value
	}
	k := harness.Key{Transport: fields["transport"], Workload: fields["workload"], Wait: fields["wait"], Placement: fields["placement"]}
	var errs [3]error
	k.RequestBytes, errs[0] = strconv.Atoi(fields["request"])
	k.ReplyBytes, errs[1] = strconv.Atoi(fields["reply"])
	k.Clients, errs[2] = strconv.Atoi(fields["clients"])
	if !strings.HasPrefix(name, "IPC/") || fields["variant"] != "" || errors.Join(errs[:]...) != nil {
		return harness.Key{Transport: name}
	}
	return k
}
