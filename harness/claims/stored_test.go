package claims

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// The committed verdicts are what the rules make of the committed numbers: a rule
// that changes, or a verdict that was changed by hand, is found.
func TestStoredVerdictsAreThoseOfTheRules(t *testing.T) {
	names, err := filepath.Glob("../../results/reference/claims-*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d stored claims: %v", len(names), err)
	}
	for _, name := range names {
		r := stored(t, name)
		if got := misjudged(t, r); len(got) != 0 {
			t.Errorf("%s: %q have another verdict", name, got)
		}
		for i := range r.Claims {
			o := &r.Claims[i]
			first := o.Columns[o.Order[0]]
			first.Verdict = Inconclusive
			o.Columns[o.Order[0]] = first
		}
		if len(misjudged(t, r)) == 0 {
			t.Errorf("%s: verdicts that were changed are not found", name)
		}
	}
}

func stored(t *testing.T, name string) *Report {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// misjudged are the columns whose verdict is not what the rule makes of their
// numbers.
func misjudged(t *testing.T, r *Report) (columns []string) {
	t.Helper()
	for _, o := range r.Claims {
		c, err := Lookup(o.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range o.Order {
			column := o.Columns[name]
			if column.Evidence.Numbers == nil {
				continue
			}
			numbers, err := c.read(column.Evidence.Numbers)
			if err != nil {
				t.Fatalf("%s of %s: %v", o.ID, name, err)
			}
			if c.judgeOn(r.Environment, numbers).Verdict != column.Verdict {
				columns = append(columns, o.ID+" of "+name)
			}
		}
	}
	return columns
}
