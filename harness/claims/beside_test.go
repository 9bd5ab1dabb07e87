package claims

import (
	"slices"
	"testing"

	"ipcbench/harness/env"
)

// tried is a report of one claim with the verdicts given, a column each.
func tried(machine string, verdicts map[string]Verdict) *Report {
	o := Outcome{ID: "C2", Columns: map[string]Column{}}
	for _, name := range []string{"binder", "binder-kernel"} {
		if v, have := verdicts[name]; have {
			o.Order, o.Columns[name] = append(o.Order, name), Column{Verdict: v}
		}
	}
	o.conclude()
	return &Report{Environment: env.Environment{Virtualisation: machine}, Claims: []Outcome{o}}
}

func TestColumnsOfElsewhereStandBeside(t *testing.T) {
	here := tried("kvm", map[string]Verdict{"binder": Supported, "binder-kernel": NotTestable})
	there := tried("qemu", map[string]Verdict{"binder": Supported, "binder-kernel": Refuted})
	joined := here.Beside(there)
	o := joined.Claims[0]
	if want := []string{"binder", "binder-kernel", "binder-kernel in qemu"}; !slices.Equal(o.Order, want) {
		t.Fatalf("columns %q, want %q", o.Order, want)
	}
	if o.Verdict != Conditional || o.Columns["binder-kernel in qemu"].Verdict != Refuted {
		t.Errorf("verdict %s of %+v", o.Verdict, o.Columns)
	}
	if len(joined.Elsewhere) != 1 || joined.Elsewhere[0].Name != "qemu" {
		t.Errorf("elsewhere: %+v", joined.Elsewhere)
	}
	if len(here.Claims[0].Columns) != 2 || here.Claims[0].Verdict != Supported {
		t.Errorf("the report itself has changed: %+v", here.Claims[0])
	}
	if o := there.Beside(here).Claims[0]; len(o.Columns) != 2 {
		t.Errorf("nothing is lacking there: %q", o.Order)
	}
}

func TestContradictions(t *testing.T) {
	for _, c := range []struct {
		a, b Verdict
		want int
	}{
		{Supported, Supported, 0},
		{Supported, Refuted, 1},
		{Supported, Conditional, 1},
		{Inconclusive, Refuted, 0},
		{Supported, NotTestable, 0},
	} {
		a, b := tried("", map[string]Verdict{"binder": c.a}), tried("", map[string]Verdict{"binder": c.b})
		if got := a.Contradictions(b); len(got) != c.want {
			t.Errorf("%s and %s: %q", c.a, c.b, got)
		}
	}
	if got := tried("", map[string]Verdict{"binder": Refuted}).Contradictions(&Report{}); len(got) != 0 {
		t.Errorf("a claim that the other lacks: %q", got)
	}
}
