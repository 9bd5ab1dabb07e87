package results

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	want := sample()
	want.Plan.HugePages = true
	b, err := want.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestReadRefuses(t *testing.T) {
	const head = `{"schema": "ipcbench.result/v1", `
	const cell = head + `"cells": [{"transport": "pipe", "workload": "echo", "wait": "block", "placement": "cross", `
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"empty", "", ErrDamaged},
		{"blank", " \n", ErrDamaged},
		{"text", "hello", ErrDamaged},
		{"binary", "\xff\xfe\x00", ErrDamaged},
		{"truncated", cell, ErrDamaged},
		{"two documents", head + `"cells": []}{}`, ErrDamaged},
		{"NaN", cell + `"floor_ratio": NaN}]}`, ErrDamaged},
		{"too large for a float", cell + `"floor_ratio": 1e999}]}`, ErrDamaged},
		{"huge", cell + `"floor_ratio": 1e300}]}`, ErrDamaged},
		{"negative", cell + `"cpu_ns_per_op": -1}]}`, ErrDamaged},
		{"negative size", cell + `"request_bytes": -1}]}`, ErrDamaged},
		{"too large for a size", cell + `"request_bytes": 99999999999999999999}]}`, ErrDamaged},
		{"wrong type", head + `"cells": 3}`, ErrDamaged},
		{"descending percentiles", cell + `"latency_ns": {"p50": 2, "p99": 1}}]}`, ErrDamaged},
		{"backward interval", cell + `"latency_ns": {"p50_ci": [2, 1]}}]}`, ErrDamaged},
		{"control characters", head + `"cells": [{"transport": "\u001b[2J"}]}`, ErrDamaged},
		{"long name", head + `"cells": [{"transport": "` + strings.Repeat("x", maxName+1) + `"}]}`, ErrDamaged},
		{"no name", head + `"cells": [{}]}`, ErrDamaged},
		{"control characters in a variant", cell + `"variant": "\u001b[2J"}]}`, ErrDamaged},
		{"negative copies at a site", cell + `"copies": {"by_site": {"x": -1}}}]}`, ErrDamaged},
		{"null cell", head + `"cells": [null]}`, ErrDamaged},
		{"deep", head + `"cells": ` + strings.Repeat("[", 1e6) + strings.Repeat("]", 1e6) + `}`, ErrDamaged},
		{"other object", `{"hello": "world"}`, ErrForeign},
		{"array", `[1, 2]`, ErrForeign},
		{"null", `null`, ErrForeign},
		{"other schema", `{"schema": "ipcbench.claims/v1"}`, ErrForeign},
		{"schema of another type", `{"schema": 1}`, ErrForeign},
	} {
		r, err := Read(strings.NewReader(c.text))
		if !errors.Is(err, c.want) || r != nil {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
			continue
		}
		if text := err.Error(); strings.Contains(text, "\n") || len(text) > 500 {
			t.Errorf("%s: the error is no line: %q", c.name, text)
		}
	}
}

// TestStoredFieldsAreThere: readers need not ask whether a list or an object is
// there.
func TestStoredFieldsAreThere(t *testing.T) {
	b, err := (&Result{Cells: []Cell{{}}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"floors": []`, `"skipped": []`, `"errors": []`, `"warnings": []`, `"round_p50_ns": []`, `"evidence": {}`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
}

func TestReadLeavesOutWhatItDoesNotKnow(t *testing.T) {
	r, err := Read(strings.NewReader(`{"schema": "ipcbench.result/v1", "later": {"x": 1}}`))
	if err != nil || len(r.Cells) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// FuzzRead: whatever is read is refused as damaged or foreign, or can be
// rendered in every format.
func FuzzRead(f *testing.F) {
	stored, err := os.ReadFile("testdata/sample.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stored)
	f.Add([]byte(`{"schema": "ipcbench.result/v1", "cells": [{"transport": "a", "workload": "b", "wait": "c", "placement": "d",
		"round_p50_ns": [[1],[1e18],[0.001]], "per_round": [[{"operations": 18446744073709551615}]],
		"latency_ns": {"p50": 0, "p50_ci": [0, 0]}}], "floors": [{"kind": "composite"}]}`))
	f.Add([]byte(`{"schema": "ipcbench.result/v1", "floors": [null], "skipped": [{}], "environment": {"cpu": {}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Read(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
				t.Fatalf("neither damaged nor foreign: %v", err)
			}
			return
		}
		for _, format := range Formats {
			checkRendered(t, format.Name, func(w io.Writer) error { return format.Render(w, r) })
		}
	})
}

func TestCheckFigures(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 1e19} {
		if checkFigures(0, f) == nil {
			t.Errorf("%g passes", f)
		}
	}
}
