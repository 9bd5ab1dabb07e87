package compare

import (
	"fmt"
	"os"
	"strings"
	"unicode"

	"ipcbench/harness"
	"ipcbench/results"
)

// Measurements are one side of a comparison.
type Measurements struct {
	// conditions that must be equal on both sides, by name.
	conditions map[string]string
	rows       []*row
	warnings   []string
}

// row is a cell's sample.
type row struct {
	key harness.Key
	// rounds of ranked metrics and calls, by metric, a list a generation; 0 is
	// a round without a value.
	rounds map[string][][]float64
	counts map[string]float64
}

// Load reads a stored result, or Go benchmark text. Errors name the file.
func Load(name string) (*Measurements, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, _ := f.Read(head)
	text := strings.TrimLeftFunc(string(head[:n]), unicode.IsSpace)
	if text != "" && !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return loadGoBench(name)
	}
	r, err := results.ReadFile(name)
	if err != nil {
		return nil, err
	}
	m, err := FromResult(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// FromResult takes the cells of a result of one build.
func FromResult(r *results.Result) (*Measurements, error) {
	return fromResult(r, func(c *results.Cell) bool { return c.Variant == "" })
}

func fromResult(r *results.Result, wanted func(*results.Cell) bool) (*Measurements, error) {
	if r.Incomplete != "" {
		return nil, fmt.Errorf("%w: the run is incomplete: %s", ErrNotComparable, r.Incomplete)
	}
	m := &Measurements{conditions: conditionsOf(r)}
	seen := map[harness.Key]bool{}
	for i := range r.Cells {
		c := &r.Cells[i]
		if !wanted(c) {
			continue
		}
		if seen[c.Key] {
			return nil, fmt.Errorf("%w: cell %s stands there twice", ErrNotComparable, results.Describe(c.Key))
		}
		seen[c.Key] = true
		m.rows = append(m.rows, rowOf(c))
		if c.SmallPages {
			m.warnings = append(m.warnings, "on small pages, although huge ones were asked for: "+c.Name())
		}
	}
	if len(m.rows) == 0 {
		return nil, fmt.Errorf("%w: no cells", ErrNotComparable)
	}
	return m, nil
}

// conditionsOf are what a comparison takes for granted. The number of rounds and
// generations is not among them: it is the size of the sample, and not what is
// measured.
func conditionsOf(r *results.Result) map[string]string {
	e, p := r.Environment, r.Plan
	conditions := map[string]string{
		"operating system": e.OS, "architecture": e.Arch, "kernel": e.Kernel, "CPU": e.CPU.Model,
		"number of CPUs": fmt.Sprint(len(e.CPU.Allowed)), "frequency governor": e.CPU.Governor,
		"virtualisation": e.Virtualisation,
		"round time":     p.RoundTime.String(), "rate": fmt.Sprint(p.RatePerSecond), "gap": p.Gap.String(),
		"huge pages": fmt.Sprint(p.HugePages),
	}
	if e.Emulated { // what it slows down, and by how much, differs from run to run
		conditions["run on an emulated machine"] = e.Time
	}
	return conditions
}

func rowOf(c *results.Cell) *row {
	r := &row{key: c.Key, rounds: map[string][][]float64{"p50": c.RoundP50NS}, counts: map[string]float64{}}
	for name, of := range map[string]func(results.Round) float64{
		"p90":      func(x results.Round) float64 { return x.P90NS },
		"p99":      func(x results.Round) float64 { return x.P99NS },
		"syscalls": func(x results.Round) float64 { return x.SyscallsPerOp },
		"throughput": func(x results.Round) float64 {
			return float64(x.Operations) * 1e9 / float64(max(x.ElapsedNS, 1))
		},
	} {
		generations := make([][]float64, len(c.PerRound))
		for g, rounds := range c.PerRound {
			for _, round := range rounds {
				generations[g] = append(generations[g], of(round))
			}
		}
		r.rounds[name] = generations
	}
	if c.Copies.Request != nil {
		r.counts["request_copies"] = *c.Copies.Request
	}
	if c.Copies.Reply != nil {
		r.counts["reply_copies"] = *c.Copies.Reply
	}
	return r
}
