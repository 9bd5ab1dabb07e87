package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ipcbench/harness/claims"
)

func claimsSample() *claims.Report {
	return &claims.Report{
		Schema: claims.Schema,
		Claims: []claims.Outcome{{
			ID: "C7", Statement: "The mapping doubles performance.", Source: "D2 part 2", Refutation: "It does not.",
			Experiment: "With and without.", Verdict: claims.Conditional, When: "from 64 KiB | with blocking",
			Evidence: claims.Evidence{Text: "ratio 1.9"},
			Columns: map[string]claims.Column{
				"binder":        {Verdict: claims.Conditional, When: "from 64 KiB", Evidence: claims.Evidence{Text: "ratio 1.9", Numbers: []byte("[1.9]")}},
				"binder-kernel": {Verdict: claims.NotTestable, Evidence: claims.Evidence{Text: "no <driver>"}},
			},
			Order: []string{"binder", "binder-kernel"},
			Tables: []claims.Table{{Title: "Seen", Header: []string{"µs", "what"}, Rows: [][]string{
				{"0.1", "a <cell> that says " + strings.Repeat("much | more ", 12) + "to the very end"}}}},
			Figures: []claims.Figure{
				{Title: "Time of <C7>", XLabel: "payload", YLabel: "ratio", XUnit: claims.Bytes, LogX: true,
					Series: []claims.Series{{Name: "binder", Points: [][2]float64{{64, 1.1}, {1 << 20, 1.9}}}}},
				{Title: "Parts", YLabel: "time", YUnit: claims.Nanoseconds, Categories: []string{"64 B", "1 MiB"},
					Series: []claims.Series{{Name: "driver", Points: [][2]float64{{0, 900}, {7, 1}}}}},
			},
		}},
	}
}

func TestClaimsAreReadBack(t *testing.T) {
	want := claimsSample()
	b, err := want.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadClaims(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	// Numbers are kept as they were written, spaces apart.
	again, err := got.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(b), string(again)); diff != "" {
		t.Error(diff)
	}
}

func TestReadClaimsRefuses(t *testing.T) {
	const head = `{"schema": "ipcbench.claims/v1", "claims": [`
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"empty", "", ErrDamaged},
		{"truncated", head, ErrDamaged},
		{"a result", `{"schema": "ipcbench.result/v1"}`, ErrForeign},
		{"no verdict", head + `{"id": "C1"}]}`, ErrDamaged},
		{"no id", head + `{"verdict": "supported"}]}`, ErrDamaged},
		{"missing column", head + `{"id": "C1", "verdict": "supported", "order": ["binder"]}]}`, ErrDamaged},
		{"column without order", head + `{"id": "C1", "verdict": "supported", "columns": {"binder": {"verdict": "refuted"}}}]}`, ErrDamaged},
		{"column without verdict", head + `{"id": "C1", "verdict": "supported", "order": ["a"], "columns": {"a": {}}}]}`, ErrDamaged},
		{"table without columns", head + `{"id": "C1", "verdict": "supported", "tables": [{"title": "t"}]}]}`, ErrDamaged},
		{"row without a cell", head + `{"id": "C1", "verdict": "supported", "tables": [{"header": ["a", "b"], "rows": [["1"]]}]}]}`, ErrDamaged},
		{"row with a cell more", head + `{"id": "C1", "verdict": "supported", "tables": [{"header": ["a"], "rows": [["1", "2"]]}]}]}`, ErrDamaged},
		{"huge point", head + `{"id": "C1", "verdict": "supported", "figures": [{"series": [{"points": [[1, -1e300]]}]}]}]}`, ErrDamaged},
	} {
		if _, err := ReadClaims(strings.NewReader(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestClaimsRender(t *testing.T) {
	for _, f := range ClaimsFormats {
		var out strings.Builder
		if err := f.Render(&out, claimsSample()); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"C7", "conditional", "from 64 KiB", "ratio 1.9", "not testable", "driver", "Seen", "very end"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", f.Name, want, out.String())
			}
		}
		if f.Name == "html" && (strings.Contains(out.String(), "<driver>") || strings.Contains(out.String(), "<cell>") || strings.Count(out.String(), "<figure>") != 2) {
			t.Errorf("unescaped text, or not both pictures:\n%s", out.String())
		}
		if f.Name == "markdown" && strings.Contains(out.String(), "KiB | with") {
			t.Error("a bar ends a cell of Markdown")
		}
	}
}

// tooWide are the lines of a text that do not fit a table's width.
func tooWide(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > textWidth {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestClaimsTableFitsItsWidth(t *testing.T) {
	wide := claimsSample()
	o := &wide.Claims[0]
	o.ID, o.Tables[0].Title = "C7"+strings.Repeat("7", 200), strings.Repeat("title", 50)
	for i := range 6 {
		o.Tables[0].Header = append(o.Tables[0].Header, fmt.Sprintf("column-%d-%s", i, strings.Repeat("long", 20)))
		o.Tables[0].Rows[0] = append(o.Tables[0].Rows[0], strings.Repeat("BR_TRANSACTION_COMPLETE", 9))
	}
	reports := map[string]*claims.Report{"wide": wide}
	for _, name := range referenceClaims(t) {
		r, err := ReadClaimsFile(name)
		if err != nil {
			t.Fatal(err)
		}
		reports[name] = r
	}
	for name, r := range reports {
		var out strings.Builder
		if err := ClaimsTable(&out, r); err != nil {
			t.Fatal(err)
		}
		for _, line := range tooWide(out.String()) {
			t.Errorf("%s: %d columns: %s", name, utf8.RuneCountInString(line), line)
		}
	}
}

func TestClaimsMarkdownHasItsPicturesBesideIt(t *testing.T) {
	name := t.TempDir() + "/page.md"
	out, err := OpenOutput(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Discard()
	if err := errors.Join(ClaimsMarkdown(out, claimsSample()), out.Commit()); err != nil {
		t.Fatal(err)
	}
	for _, slug := range []string{"c7-1", "c7-2"} {
		if text := content(t, strings.TrimSuffix(name, ".md")+"-"+slug+".svg"); !strings.Contains(text, "</svg>") {
			t.Errorf("%s: %q", slug, text)
		}
		if !strings.Contains(content(t, name), "(page-"+slug+".svg)") {
			t.Errorf("%s does not stand in the page", slug)
		}
	}
}

// FuzzReadClaims: whatever is read is refused as damaged or foreign, or can be
// rendered in every format.
func FuzzReadClaims(f *testing.F) {
	b, err := claimsSample().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ReadClaims(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
				t.Fatalf("neither damaged nor foreign: %v", err)
			}
			return
		}
		for _, format := range ClaimsFormats {
			checkRendered(t, format.Name, func(w io.Writer) error { return format.Render(w, r) })
		}
	})
}
