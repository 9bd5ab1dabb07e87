package results

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/perf/benchfmt"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares what was written with a file under testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; go test -update rewrites it):\n%s", name, diff)
	}
}

// TestFormats renders the stored sample in every format. json comes first: the
// others read what it wrote.
func TestFormats(t *testing.T) {
	var stored bytes.Buffer
	if err := JSON(&stored, sample()); err != nil {
		t.Fatal(err)
	}
	golden(t, "sample.json", stored.Bytes())
	for _, f := range Formats {
		t.Run(f.Name, func(t *testing.T) {
			r, err := ReadFile("testdata/sample.json")
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := f.Render(&out, r); err != nil {
				t.Fatal(err)
			}
			golden(t, "sample."+f.Name, out.Bytes())
		})
	}
}

func TestTableFitsItsWidth(t *testing.T) {
	r := sample()
	r.Cells[0].Transport = strings.Repeat("long", 40)
	r.Skipped[0].Reason = strings.Repeat("x", 300) + strings.Repeat(" word", 50)
	var out bytes.Buffer
	if err := Table(&out, r); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > textWidth {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

func TestHostileText(t *testing.T) {
	const hostile = "evil\x1b[2J|<script>alert(1)</script>\n# heading"
	r := sample()
	r.Skipped[0].Reason = hostile
	r.Warnings = []string{hostile}
	r.Environment.CPU.Model = hostile
	r.Cells[0].Warnings = []string{hostile}
	for _, f := range Formats {
		if f.Name == "json" || f.Name == "csv" {
			continue // they quote what they are given, by their own rules
		}
		var out bytes.Buffer
		if err := f.Render(&out, r); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "\x1b") || strings.Contains(out.String(), "\n# heading") {
			t.Errorf("%s lets control characters through", f.Name)
		}
		if f.Name == "markdown" && (strings.Contains(out.String(), "<script") || strings.Contains(out.String(), "J|")) {
			t.Error("markdown lets markup through")
		}
	}
}

// TestBenchstatReadsGoBench reads the output with benchstat's own parser and
// finds every round again.
func TestBenchstatReadsGoBench(t *testing.T) {
	r := sample()
	var out bytes.Buffer
	if err := GoBench(&out, r); err != nil {
		t.Fatal(err)
	}
	lines := map[string]int{}
	reader := benchfmt.NewReader(&out, "sample")
	for reader.Scan() {
		switch rec := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Fatal(rec)
		case *benchfmt.Result:
			lines[rec.Name.String()]++
			if _, ok := rec.Value("sec/op"); !ok {
				t.Errorf("%s has no ns/op", rec.Name)
			}
			if got := rec.GetConfig("cpu"); got != r.Environment.CPU.Model {
				t.Errorf("cpu is %q", got)
			}
		}
	}
	if err := reader.Err(); err != nil {
		t.Fatal(err)
	}
	if len(lines) != len(r.Cells) {
		t.Errorf("%d benchmarks of %d cells", len(lines), len(r.Cells))
	}
	for name, n := range lines {
		if n != r.Cells[0].Rounds {
			t.Errorf("%s: %d lines of %d rounds", name, n, r.Cells[0].Rounds)
		}
	}
	if reader.Units().GetBetter("p50-ns") != -1 {
		t.Error("benchstat is not told that a lower p50 is better")
	}
}

// TestDocumentedColumns finds the header of the CSV format, and every unit of
// the Go benchmark format, in the documentation.
func TestDocumentedColumns(t *testing.T) {
	b, err := os.ReadFile("../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := CSV(&out, &Result{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "\n"+out.String()) {
		t.Error("docs/formats.md has another CSV header")
	}
	for _, u := range goUnits {
		if !strings.Contains(string(b), "`"+u.unit+"`") {
			t.Errorf("docs/formats.md does not say what %s is", u.unit)
		}
	}
	for _, f := range Formats {
		if !strings.Contains(string(b), "| `"+f.Name+"` |") {
			t.Errorf("docs/formats.md does not have format %s", f.Name)
		}
	}
}
