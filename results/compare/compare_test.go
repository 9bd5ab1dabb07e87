package compare

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"ipcbench/harness"
	"ipcbench/results"
)

// drawn is a made-up result: generations of three rounds around a p50, of cells
// of some transports. spread is that of the logarithm.
func drawn(rng *rand.Rand, variant string, generations int, p50, spread float64, transports ...string) *results.Result {
	r := &results.Result{Schema: results.Schema}
	for _, name := range transports {
		c := results.Cell{Key: harness.Key{Transport: name, Workload: "echo", RequestBytes: 64, ReplyBytes: 64, Clients: 1,
			Wait: "block", Placement: "cross"}, Variant: variant}
		two := 2.0
		c.Copies.Request, c.Copies.Reply = &two, &two
		for range generations {
			var p50s []float64
			var rounds []results.Round
			for range 3 {
				v := p50 * math.Exp(spread*rng.NormFloat64())
				p50s = append(p50s, v)
				rounds = append(rounds, results.Round{Operations: 1000, ElapsedNS: int64(1000 * v), P90NS: 1.2 * v, SyscallsPerOp: 4})
			}
			c.RoundP50NS, c.PerRound = append(c.RoundP50NS, p50s), append(c.PerRound, rounds)
		}
		r.Cells = append(r.Cells, c)
	}
	return r
}

func compared(t *testing.T, old, young *results.Result) *Comparison {
	t.Helper()
	a, err := FromResult(old)
	if err != nil {
		t.Fatal(err)
	}
	b, err := FromResult(young)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compare(a, b, Options{Thresholds: DefaultThresholds()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVerdicts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name           string
		generations    int
		factor, spread float64
		want           Verdict
	}{
		{"slower", 10, 1.2, 0.01, Worse},
		{"faster", 10, 0.8, 0.01, Better},
		{"equal", 10, 1, 0.01, Same},
		{"less than counts", 10, 1.02, 0.005, Same},
		{"noise", 10, 1, 0.5, Inconclusive},
		{"too few", 2, 1.5, 0.01, Inconclusive},
	} {
		old := drawn(rng, "", c.generations, 10000, c.spread, "pipe", "unix-stream")
		got := compared(t, old, drawn(rng, "", c.generations, 10000*c.factor, c.spread, "pipe", "unix-stream"))
		if got.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", c.name, got.Verdict, c.want, got.Cells)
		}
	}
}

// TestFalseAlarms compares equals, ten cells each: the family's error rate is
// what is promised.
func TestFalseAlarms(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	names := strings.Fields("a b c d e f g h i j")
	const runs = 200
	apart, pairwise := 0, 0
	for range runs {
		old, young := drawn(rng, "", 10, 10000, 0.1, names...), drawn(rng, "", 10, 10000, 0.1, names...)
		if compared(t, old, young).Verdict == Worse {
			apart++
		}
		if pairedOf(t, drawn(rng, harness.OldBuild, 24, 10000, 0.1, names...), drawn(rng, harness.NewBuild, 24, 10000, 0.1, names...)).Verdict == Worse {
			pairwise++
		}
	}
	if apart > runs*level || pairwise > runs*level {
		t.Errorf("%d and %d false alarms in %d runs of equals", apart, pairwise, runs)
	}
}

func pairedOf(t *testing.T, old, young *results.Result) *Comparison {
	t.Helper()
	old.Cells = append(old.Cells, young.Cells...)
	c, err := Paired(old, Options{Thresholds: DefaultThresholds()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPairedSeesThroughDrift: both sides drift by a factor of three, and differ
// by a tenth.
func TestPairedSeesThroughDrift(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	old := drawn(rng, harness.OldBuild, 24, 10000, 0.03, "pipe")
	young := drawn(rng, harness.NewBuild, 24, 11000, 0.03, "pipe")
	for g := range old.Cells[0].RoundP50NS {
		for i := range old.Cells[0].RoundP50NS[g] {
			drift := 1 + 2*float64(g)/24
			old.Cells[0].RoundP50NS[g][i] *= drift
			young.Cells[0].RoundP50NS[g][i] *= drift
		}
	}
	c := pairedOf(t, old, young)
	if p50 := c.Cells[0]; p50.Verdict != Worse || math.Abs(p50.Change-0.1) > 0.03 {
		t.Errorf("%+v", p50)
	}
}

// TestCounts: any copy more is worse; calls must rise by half in every
// generation.
func TestCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	verdict := func(change func(*results.Cell)) Verdict {
		old, young := drawn(rng, "", 10, 10000, 0.001, "pipe"), drawn(rng, "", 10, 10000, 0.001, "pipe")
		change(&young.Cells[0])
		return compared(t, old, young).Verdict
	}
	copies := func(n float64) func(*results.Cell) {
		return func(c *results.Cell) { c.Copies.Request = &n }
	}
	calls := func(n float64, generations int) func(*results.Cell) {
		return func(c *results.Cell) {
			for g := range generations {
				for i := range c.PerRound[g] {
					c.PerRound[g][i].SyscallsPerOp = n
				}
			}
		}
	}
	for i, c := range []struct {
		change func(*results.Cell)
		want   Verdict
	}{
		{copies(2.001), Worse}, {copies(1), Better}, {copies(2), Same},
		{calls(4.5, 10), Worse}, {calls(4.4, 10), Same}, {calls(9, 9), Same}, {calls(3, 10), Better},
	} {
		if got := verdict(c.change); got != c.want {
			t.Errorf("case %d: %s, want %s", i, got, c.want)
		}
	}
}

func TestHolm(t *testing.T) {
	of := func(up int) *test {
		p := make(pairs, 10)
		for i := range p {
			p[i] = -1
			if i < up {
				p[i] = 1
			}
		}
		return &test{sample: p}
	}
	tests := []*test{of(10), of(9), of(5)}
	holm(tests)
	for i, want := range []float64{3 * 2.0 / 1024, 2 * 22.0 / 1024, 1} {
		if math.Abs(*tests[i].P-want) > 1e-12 {
			t.Errorf("test %d: p %g, want %g", i, *tests[i].P, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	old := drawn(rng, "", 5, 10000, 0.01, "pipe", "shm")
	lacking := drawn(rng, "", 5, 10000, 0.01, "pipe")
	elsewhere := drawn(rng, "", 5, 10000, 0.01, "pipe", "shm")
	elsewhere.Environment.CPU.Model = "another"
	emulated := drawn(rng, "", 5, 10000, 0.01, "pipe", "shm")
	emulated.Environment.Emulated, emulated.Environment.Time = true, "2026-01-02T00:00:00Z"
	emulatedBefore := drawn(rng, "", 5, 10000, 0.01, "pipe", "shm")
	emulatedBefore.Environment.Emulated, emulatedBefore.Environment.Time = true, "2026-01-01T00:00:00Z"
	hugePages := drawn(rng, "", 5, 10000, 0.01, "pipe", "shm")
	hugePages.Plan.HugePages = true
	for name, pair := range map[string][2]*results.Result{
		"missing cell": {old, lacking}, "other machine": {old, elsewhere}, "emulated machines": {emulatedBefore, emulated},
		"huge pages": {old, hugePages},
	} {
		old, young := pair[0], pair[1]
		a, _ := FromResult(old)
		b, _ := FromResult(young)
		if _, err := Compare(a, b, Options{Thresholds: DefaultThresholds()}); !errors.Is(err, ErrNotComparable) {
			t.Errorf("%s: %v", name, err)
		}
		c, err := Compare(a, b, Options{Thresholds: DefaultThresholds(), AllowEnvDiff: true})
		if allowed := name != "missing cell"; (err == nil) != allowed || allowed && len(c.Warnings) != 1 {
			t.Errorf("%s, differences allowed: %v", name, err)
		}
	}
	for i := range hugePages.Cells {
		hugePages.Cells[i].SmallPages = true
	}
	if c := compared(t, hugePages, hugePages); len(c.Warnings) != 2 || !strings.HasSuffix(c.Warnings[0], ": pipe") {
		t.Errorf("huge pages that were not to be had: %q", c.Warnings)
	}
	old.Cells[1] = old.Cells[0]
	if _, err := FromResult(old); !errors.Is(err, ErrNotComparable) {
		t.Errorf("a cell twice: %v", err)
	}
	if _, err := Paired(lacking, Options{}); !errors.Is(err, ErrNotComparable) {
		t.Errorf("no paired run: %v", err)
	}
}

// TestGoBench: the text that results writes is read back with the same cells,
// and a benchmark of elsewhere with its allocations.
func TestGoBench(t *testing.T) {
	load := func(text string) *Measurements {
		t.Helper()
		name := filepath.Join(t.TempDir(), "bench.txt")
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	stored, err := Load("../testdata/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := Load("../testdata/sample.gobench")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compare(stored, text, Options{Thresholds: DefaultThresholds()})
	if err != nil {
		t.Fatal(err)
	}
	if c.Count(Worse)+c.Count(Better) > 0 || len(c.Cells) < 6*6 {
		t.Errorf("a result and its text differ: %s", c.summary())
	}
	old := load("BenchmarkX 100 50 ns/op 8 B/op 1 allocs/op\n")
	young := load("BenchmarkX 100 50 ns/op 8 B/op 2 allocs/op\n")
	if c, err = Compare(old, young, Options{Thresholds: DefaultThresholds()}); err != nil || c.Verdict != Worse {
		t.Errorf("an allocation more: %+v, %v", c, err)
	}
}

func TestParseThresholds(t *testing.T) {
	got, err := ParseThresholds([]string{"8%", "p99=30%"})
	if err != nil || got["p50"] != 0.08 || got["p99"] != 0.3 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "5", "x%", "-1%", "NaN%", "p42=5%", "syscalls=5%", "=5%"} {
		if _, err := ParseThresholds([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestTableFitsItsWidth: whatever cells are called, and however they differ.
func TestTableFitsItsWidth(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	old, young := drawn(rng, "", 10, 1e9, 0.01, "pipe", strings.Repeat("long", 40)), drawn(rng, "", 10, 9e13, 0.01, "pipe", strings.Repeat("long", 40))
	for _, r := range []*results.Result{old, young} {
		r.Cells[0].Wait, r.Cells[0].Clients = "adaptive", 16
	}
	c := compared(t, old, young)
	c.Warnings = []string{strings.Repeat("word ", 60)}
	var out bytes.Buffer
	if err := Table(&out, c); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{"pipe 64 B adaptive 16 clients", "all cells: echo, placement cross", ">1000×"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// TestHostileNames: what a file says does not reach a terminal or a page as
// markup.
func TestHostileNames(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	const hostile = "evil\x1b[2J|<script>"
	c := compared(t, drawn(rng, "", 10, 10000, 0.01, hostile), drawn(rng, "", 10, 20000, 0.01, hostile))
	for _, f := range Formats[:2] {
		var out bytes.Buffer
		if err := f.Render(&out, c); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "\x1b") || f.Name == "markdown" && strings.Contains(out.String(), "<script") {
			t.Errorf("%s: %s", f.Name, out.String())
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, name := range []string{"../testdata/sample.json", "../testdata/sample.gobench"} {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("BenchmarkX 1 NaN ns/op +Inf p50-ns\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		name := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(name, b, 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := Load(name)
		if err != nil {
			return
		}
		c, err := Compare(m, m, Options{Thresholds: DefaultThresholds()})
		if err != nil {
			return
		}
		if c.Count(Worse) > 0 {
			t.Fatalf("worse than itself: %+v", c.Cells)
		}
		for _, format := range Formats {
			if err := format.Render(&bytes.Buffer{}, c); err != nil {
				t.Fatal(err)
			}
		}
	})
}
