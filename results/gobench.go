package results

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/perf/benchfmt"
)

// goUnits is what benchstat must be told of units that are not Go's own.
var goUnits = []struct{ unit, key, value string }{
	{"p50-ns", "better", "lower"},
	{"p90-ns", "better", "lower"},
	{"p99-ns", "better", "lower"},
	{"cpu-ns/op", "better", "lower"},
	{"syscalls/op", "better", "lower"},
	{"request-copies", "better", "lower"},
	{"request-copies", "assume", "exact"},
	{"reply-copies", "better", "lower"},
	{"reply-copies", "assume", "exact"},
}

// GoBench writes the Go benchmark text format: one line a round, so that
// benchstat sees rounds as its sample. ns/op is the round's time by its
// operations, as the testing package has it; p50-ns and its like are latency.
func GoBench(w io.Writer, r *Result) error {
	out := benchfmt.NewWriter(w)
	for _, m := range goUnits {
		meta := &benchfmt.UnitMetadata{OrigUnit: m.unit, Value: m.value}
		meta.Key = m.key
		if err := out.Write(meta); err != nil {
			return err
		}
	}
	config := goConfig(r)
	for i := range r.Cells {
		if err := goCell(out, config, &r.Cells[i]); err != nil {
			return err
		}
	}
	return nil
}

func goCell(out *benchfmt.Writer, config []benchfmt.Config, c *Cell) error {
	name := goName(c)
	for g, generation := range c.RoundP50NS {
		for i, p50 := range generation {
			if g >= len(c.PerRound) || i >= len(c.PerRound[g]) {
				continue
			}
			round := c.PerRound[g][i]
			if round.Operations == 0 {
				continue
			}
			line := &benchfmt.Result{
				Config: config, Name: name, Iters: int(round.Operations),
				Values: goValues(c, p50, round),
			}
			if err := out.Write(line); err != nil {
				return err
			}
		}
	}
	return nil
}

func goValues(c *Cell, p50 float64, r Round) []benchfmt.Value {
	perOp := ratio(float64(r.ElapsedNS), float64(r.Operations))
	values := []benchfmt.Value{{Value: perOp, Unit: "ns/op"}, {Value: p50, Unit: "p50-ns"}}
	if r.P90NS > 0 {
		values = append(values, benchfmt.Value{Value: r.P90NS, Unit: "p90-ns"})
	}
	if r.P99NS > 0 {
		values = append(values, benchfmt.Value{Value: r.P99NS, Unit: "p99-ns"})
	}
	values = append(values,
		benchfmt.Value{Value: r.CPUNSPerOp, Unit: "cpu-ns/op"},
		benchfmt.Value{Value: r.SyscallsPerOp, Unit: "syscalls/op"})
	if c.Copies.Request != nil {
		values = append(values, benchfmt.Value{Value: *c.Copies.Request, Unit: "request-copies"})
	}
	if c.Copies.Reply != nil {
		values = append(values, benchfmt.Value{Value: *c.Copies.Reply, Unit: "reply-copies"})
	}
	return values
}

// goName is the benchmark's name with the cell's key as its configuration. It
// ends in a word, lest a number at its end be read as GOMAXPROCS.
func goName(c *Cell) benchfmt.Name {
	parts := []string{"IPC", "transport=" + goWord(c.Transport)}
	if c.Variant != "" {
		parts = append(parts, "variant="+goWord(c.Variant))
	}
	parts = append(parts,
		"workload="+goWord(c.Workload),
		"request="+strconv.Itoa(c.RequestBytes),
		"reply="+strconv.Itoa(c.ReplyBytes),
		"clients="+strconv.Itoa(c.Clients),
		"wait="+goWord(c.Wait),
		"placement="+goWord(c.Placement))
	return benchfmt.Name(strings.Join(parts, "/"))
}

// goWord replaces what would end a name or a part of one.
func goWord(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsGraphic(r) || r == '/' || r == '=' {
			return '_'
		}
		return r
	}, s)
}

// goConfig is the environment as configuration lines.
func goConfig(r *Result) []benchfmt.Config {
	e := r.Environment
	var config []benchfmt.Config
	add := func(key, value string) {
		if value = strings.TrimSpace(plain(value)); value != "" {
			config = append(config, benchfmt.Config{Key: key, Value: []byte(value), File: true})
		}
	}
	add("goos", e.OS)
	add("goarch", e.Arch)
	add("pkg", "ipcbench")
	add("cpu", e.CPU.Model)
	add("cpus", fmt.Sprint(len(e.CPU.Allowed)))
	add("governor", e.CPU.Governor)
	add("kernel", e.Kernel)
	add("virtualisation", e.Virtualisation)
	add("go", e.Go)
	add("commit", e.Commit)
	return config
}
