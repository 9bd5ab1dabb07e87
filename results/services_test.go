package results

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestServicesNameEveryCellOnce: two entries of one name would be one history.
func TestServicesNameEveryCellOnce(t *testing.T) {
	r := sample()
	for _, render := range []Renderer{ActionSmaller, ActionBigger} {
		var out bytes.Buffer
		if err := render(&out, r); err != nil {
			t.Fatal(err)
		}
		var entries []benchmarkEntry
		if err := json.Unmarshal(out.Bytes(), &entries); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, e := range entries {
			if seen[e.Name] || e.Unit == "" {
				t.Errorf("%+v", e)
			}
			seen[e.Name] = true
		}
		if len(entries) < len(r.Cells) {
			t.Errorf("%d entries of %d cells", len(entries), len(r.Cells))
		}
	}
	var out bytes.Buffer
	if err := Bencher(&out, r); err != nil {
		t.Fatal(err)
	}
	var all map[string]map[string]bencherMeasure
	if err := json.Unmarshal(out.Bytes(), &all); err != nil || len(all) != len(r.Cells) {
		t.Errorf("%d benchmarks of %d cells: %v", len(all), len(r.Cells), err)
	}
}

// TestOpenMetrics: each family stands together, each series once, and the text
// ends as the format demands.
func TestOpenMetrics(t *testing.T) {
	r := sample()
	r.Cells[0].Transport = "a\"b\\c\nd"
	var out bytes.Buffer
	if err := OpenMetrics(&out, r); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "\n# EOF\n") {
		t.Error("no # EOF at the end")
	}
	if !strings.Contains(out.String(), `transport="a\"b\\c d"`) {
		t.Error("a label is not quoted")
	}
	seen, family := map[string]bool{}, ""
	for line := range strings.Lines(out.String()) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			family, _, _ = strings.Cut(name, " ")
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		series, _, _ := strings.Cut(line, "} ")
		if !strings.HasPrefix(series, family+"{") || seen[series] {
			t.Errorf("out of place: %s", line)
		}
		seen[series] = true
	}
}
