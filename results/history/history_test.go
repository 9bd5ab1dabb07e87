package history

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ipcbench/harness"
	"ipcbench/results"
)

// run is a made-up result of a day of January with a p50 for each transport; 0
// is a cell without one.
func run(day int, p50 map[string]float64) *results.Result {
	r := &results.Result{Schema: results.Schema}
	r.Environment.Time = fmt.Sprintf("2026-01-%02dT00:00:00Z", day)
	r.Environment.CPU.Model, r.Environment.Commit = "Example CPU", fmt.Sprintf("commit%d", day)
	for _, name := range []string{"pipe", "shm", strings.Repeat("long", 40)} {
		v, have := p50[name]
		if !have {
			continue
		}
		c := results.Cell{Key: harness.Key{Transport: name, Workload: "echo", RequestBytes: 64, ReplyBytes: 64, Clients: 1,
			Wait: "block", Placement: "cross"}, OperationsPerSecond: 1e5}
		if v > 0 {
			c.Latency.P50 = &v
		}
		r.Cells = append(r.Cells, c)
	}
	return r
}

// folder stores results under names whose order is not that of their times.
func folder(t *testing.T, all ...*results.Result) string {
	t.Helper()
	dir := t.TempDir()
	for i, r := range all {
		b, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, fmt.Sprintf("%d.json", 9-i)), b)
	}
	return dir
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

func loaded(t *testing.T, dir string) ([]Stored, []Skipped) {
	t.Helper()
	stored, skipped, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return stored, skipped
}

func build(t *testing.T, wanted Filter, all ...*results.Result) *History {
	t.Helper()
	stored, skipped := loaded(t, folder(t, all...))
	if len(skipped) > 0 {
		t.Fatal(skipped)
	}
	h, err := Build(stored, "p50", wanted)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestOrderAndGaps(t *testing.T) {
	moved := run(4, map[string]float64{"pipe": 4000, "shm": 100})
	moved.Environment.CPU.Model = "Another CPU"
	h := build(t, Filter{}, run(1, map[string]float64{"pipe": 1000}), moved, run(3, map[string]float64{"pipe": 3000, "shm": 0}))
	var values []string
	for _, c := range h.Cells {
		row := c.Transport
		for _, v := range c.Values {
			if v == nil {
				row += " -"
			} else {
				row += fmt.Sprintf(" %g", *v)
			}
		}
		values = append(values, row+" "+c.trend())
	}
	if diff := cmp.Diff([]string{"pipe 1000 3000 4000 ▁▆█", "shm - - 100 ··▁"}, values); diff != "" {
		t.Error(diff)
	}
	if len(h.Runs[1].Changed) != 0 || len(h.Runs[2].Changed) != 1 || !strings.Contains(h.Runs[2].Changed[0], "Another CPU") {
		t.Errorf("%+v", h.Runs)
	}
}

func TestFilter(t *testing.T) {
	all := []*results.Result{run(1, map[string]float64{"pipe": 1, "shm": 2})}
	for _, c := range []struct {
		wanted Filter
		want   string
	}{
		{Filter{}, "pipe shm"}, {Filter{Transports: []string{"p*"}}, "pipe"}, {Filter{Sizes: []int{64}}, "pipe shm"},
		{Filter{Sizes: []int{65}}, ""}, {Filter{Clients: []int{2}}, ""}, {Filter{Waits: []string{"spin"}}, ""},
		{Filter{Placements: []string{"same"}}, ""}, {Filter{Workloads: []string{"one-way"}}, ""},
	} {
		stored, _ := loaded(t, folder(t, all...))
		h, err := Build(stored, "p50", c.wanted)
		var names []string
		if err == nil {
			for _, cell := range h.Cells {
				names = append(names, cell.Transport)
			}
		}
		if got := strings.Join(names, " "); got != c.want || (c.want == "") != errors.Is(err, ErrNothing) {
			t.Errorf("%+v: %q, %v", c.wanted, got, err)
		}
	}
}

// TestLoadSkips: files that are no results are named, and whether they should
// have been.
func TestLoadSkips(t *testing.T) {
	dir := folder(t, run(1, map[string]float64{"pipe": 1}))
	untimed := run(2, map[string]float64{"pipe": 1})
	untimed.Environment.Time = "yesterday"
	b, err := untimed.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"a.json": `{"schema": "ipcbench.result/v1", "cells": [`, "b.json": `{"hello": "world"}`, "c.json": string(b),
		"d.json":           `{"schema": "ipcbench.result/v1", "cells": ` + strings.Repeat("[", 1e5) + strings.Repeat("]", 1e5) + `}`,
		".e.json.12345678": "{", "f.txt": "hello",
	} {
		write(t, filepath.Join(dir, name), []byte(content))
	}
	stored, skipped := loaded(t, dir)
	got := map[string]bool{}
	for _, s := range skipped {
		got[s.Name] = s.Damaged()
		if !strings.Contains(s.Err.Error(), s.Name) {
			t.Errorf("%v does not name its file", s.Err)
		}
	}
	if diff := cmp.Diff(map[string]bool{"a.json": true, "b.json": false, "c.json": true, "d.json": true}, got); diff != "" || len(stored) != 1 {
		t.Error(len(stored), diff)
	}
}

// TestFormats: every format holds the values; text fits its width, and names
// remain text.
func TestFormats(t *testing.T) {
	long := strings.Repeat("long", 40)
	h := build(t, Filter{}, run(1, map[string]float64{"pipe": 1000, long: 5}), run(2, map[string]float64{"pipe": 1500, long: 7}))
	h.Cells[0].Variant = "<script>|\x1b[2J"
	h.Warnings = []string{"left out: <script>\x1b[2J" + strings.Repeat(" word", 50)}
	for _, f := range Formats {
		var out bytes.Buffer
		if err := f.Render(&out, h); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		text := out.String()
		if f.Name != "csv" && strings.Contains(text, "\x1b") {
			t.Errorf("%s lets control characters through", f.Name)
		}
		if (f.Name == "markdown" || f.Name == "svg" || f.Name == "html") && strings.Contains(text, "<script>|") {
			t.Errorf("%s lets markup through", f.Name)
		}
		if f.Name == "html" && (strings.Contains(text, "src=") || !strings.Contains(text, "<svg") || !strings.Contains(text, "&#43;50.0%")) {
			t.Errorf("the page loads something, or lacks its plot or its figures:\n%s", text)
		}
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); f.Name == "table" && n > 100 {
				t.Errorf("%d columns: %s", n, line)
			}
		}
		if f.Name == "table" && !strings.Contains(text, "+50.0%") {
			t.Errorf("no change in\n%s", text)
		}
		if f.Name == "csv" {
			if rows, err := csv.NewReader(&out).ReadAll(); err != nil || len(rows) != 5 {
				t.Errorf("%d rows, %v", len(rows), err)
			}
		}
	}
}

// TestNames: what all cells share is said once, and what they differ in with
// each.
func TestNames(t *testing.T) {
	h := build(t, Filter{}, run(1, map[string]float64{"pipe": 1000, "shm": 5}))
	shared := h.shared()
	if got := shared.String(); got != "echo, wait block, placement cross, clients 1" {
		t.Errorf("shared: %q", got)
	}
	h.Cells[1].Wait, h.Cells[1].Clients = "spin", 4
	for i, want := range []string{"pipe 64 B block 1 clients", "shm 64 B spin 4 clients"} {
		if got := h.Cells[i].name(h.shared()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestEveryMetric(t *testing.T) {
	r := run(1, map[string]float64{"pipe": 1000})
	one := 1.0
	c := &r.Cells[0]
	c.Latency.P90, c.Latency.P99, c.Latency.P999 = &one, &one, &one
	c.Copies.Request, c.Copies.Reply, c.FloorRatio = &one, &one, 1
	for _, name := range Metrics() {
		h, err := Build([]Stored{{Name: "x", Result: r}}, name, Filter{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var out bytes.Buffer
		if err := Table(&out, h); err != nil || strings.Contains(out.String(), "NaN") {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
	}
	if _, err := Build(nil, "beauty", Filter{}); err == nil {
		t.Error("beauty is a metric")
	}
}

// FuzzHistory: whatever is read as a result can be shown, next to itself, in
// every format.
func FuzzHistory(f *testing.F) {
	b, err := run(1, map[string]float64{"pipe": 1000}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := results.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		for _, name := range Metrics() {
			h, err := Build([]Stored{{Name: "a", Result: r}, {Name: "b", Result: r}}, name, Filter{})
			if err != nil {
				continue
			}
			for _, format := range Formats {
				if err := format.Render(&bytes.Buffer{}, h); err != nil && !errors.Is(err, errNoPlot) {
					t.Errorf("%s: %v", format.Name, err)
				}
			}
		}
	})
}
