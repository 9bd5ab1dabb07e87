package results

import (
	"bytes"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func pictureOf(t *testing.T, r *Result, kind string) picture {
	t.Helper()
	all := r.pictures()
	i := slices.IndexFunc(all, func(p picture) bool { return p.kind == kind })
	if i < 0 {
		t.Fatalf("no picture of %s", kind)
	}
	return all[i]
}

// TestPicturesOfAllKinds: what is drawn, and that figures in a picture's table
// are those of the cells.
func TestPicturesOfAllKinds(t *testing.T) {
	r := sample()
	var slugs []string
	for _, p := range r.pictures() {
		slugs = append(slugs, p.slug)
	}
	want := []string{"latency-echo-block-cross", "floor-echo-block-cross", "cpu-echo-block-cross", "copies-echo-block-cross",
		"syscalls-echo-block-cross", "percentiles-echo-block-cross-64", "percentiles-echo-block-cross-65536"}
	if diff := cmp.Diff(want, slugs); diff != "" {
		t.Error(diff)
	}
	latency := pictureOf(t, r, "latency").Table.Rows[0]
	if diff := cmp.Diff([]string{"pipe", "64 B", Trimmed(seconds(*r.Cells[0].Latency.P50))}, latency); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"shm", "1", "1"}, pictureOf(t, r, "copies").Table.Rows[2]); diff != "" {
		t.Error(diff)
	}
}

func TestThroughputAgainstClients(t *testing.T) {
	r := sample()
	for _, clients := range []int{4, 2} {
		c := r.Cells[0]
		c.Clients, c.OperationsPerSecond = clients, float64(1000*clients)
		r.Cells = append(r.Cells, c)
	}
	p := pictureOf(t, r, "throughput")
	rows := p.Table.Rows
	if p.key.RequestBytes != 64 || len(rows) < 3 || rows[1][1] != "2" || rows[2][1] != "4" || rows[2][2] != "4kop/s" {
		t.Errorf("%v", rows)
	}
}

// TestOnePayloadIsBars: a line needs two payloads.
func TestOnePayloadIsBars(t *testing.T) {
	r := sample()
	r.Cells = r.Cells[:3]
	p := pictureOf(t, r, "latency")
	if bars := p.Groups[0].Bars; len(bars) != 1 || !strings.HasSuffix(p.Title, "64 B") {
		t.Errorf("%s: %+v", p.Title, p.Groups)
	}
}

// TestPicturesOfHostileNames: whatever names say, pictures have file names of
// their own that stay in their folder.
func TestPicturesOfHostileNames(t *testing.T) {
	r := sample()
	for i, name := range []string{"../../etc/passwd", ".. .. etc passwd", strings.Repeat("x", 30)} {
		r.Cells[i].Workload = name
	}
	seen := map[string]bool{}
	for _, p := range r.pictures() {
		if seen[p.slug] || notInNames.MatchString(strings.ReplaceAll(p.slug, "-", "")) || len(p.slug) > 100 {
			t.Errorf("%q", p.slug)
		}
		seen[p.slug] = true
	}
}

// TestMarkdownOfAStream has no plots: there is no place for them.
func TestMarkdownOfAStream(t *testing.T) {
	var text bytes.Buffer
	out, err := OpenOutput("-", &text)
	if err != nil {
		t.Fatal(err)
	}
	if err := Markdown(out, sample()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), "![") || !strings.Contains(text.String(), "| pipe") {
		t.Error(text.String())
	}
	if w, name, err := out.Beside("-x.svg"); w != nil || name != "" || err != nil {
		t.Errorf("%v %q %v", w, name, err)
	}
}

func TestTrimmed(t *testing.T) {
	for text, want := range map[string]string{"10.00µs": "10µs", "1.50ms": "1.5ms", "200ns": "200ns", "0.50": "0.5", "–": "–"} {
		if got := Trimmed(text); got != want {
			t.Errorf("%s becomes %s", text, got)
		}
	}
	if !math.IsNaN(orNaN(nil)) {
		t.Error("no figure is a figure")
	}
}

// TestBesideAppearsWithItsFile: files beside an output come and go with it.
func TestBesideAppearsWithItsFile(t *testing.T) {
	dir := t.TempDir()
	for _, commit := range []bool{false, true} {
		out, err := OpenOutput(dir+"/page.md", nil)
		if err != nil {
			t.Fatal(err)
		}
		w, name, err := out.Beside("-x.svg")
		if err != nil || name != "page-x.svg" {
			t.Fatalf("%q, %v", name, err)
		}
		io.WriteString(w, "<svg/>")
		if commit {
			if err := out.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		out.Discard()
		want := map[bool]string{false: "absent", true: "<svg/>"}[commit]
		if got := content(t, dir+"/page-x.svg"); got != want {
			t.Errorf("committed %v: %s", commit, got)
		}
	}
}
