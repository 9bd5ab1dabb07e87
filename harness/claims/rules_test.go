package claims

import (
	"encoding/json"
	"testing"
)

// example is numbers for a rule, and the verdict that they must give.
type example struct {
	name    string
	numbers any
	want    Verdict
}

// examples of each claim, which the tests of the claims register.
var examples = map[string][]example{}

func register(id string, list ...example) { examples[id] = append(examples[id], list...) }

func TestRules(t *testing.T) {
	for _, c := range All() {
		for _, e := range examples[c.ID] {
			t.Run(c.ID+"/"+e.name, func(t *testing.T) {
				j := c.judge(e.numbers)
				if j.Verdict != e.want {
					t.Errorf("%s, want %s: %s", j.Verdict, e.want, j.Text)
				}
				if j.Text == "" {
					t.Error("a verdict without its numbers")
				}
				if (j.Verdict == Conditional) != (j.When != "") {
					t.Errorf("%s when %q", j.Verdict, j.When)
				}
				if _, err := json.Marshal(e.numbers); err != nil {
					t.Errorf("numbers that JSON cannot hold: %v", err)
				}
			})
		}
	}
}

// A rule that cannot come to both verdicts is no rule.
func TestEveryRuleCanSupportAndRefute(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.ID] {
			t.Errorf("two claims %s", c.ID)
		}
		seen[c.ID] = true
		has := map[Verdict]bool{}
		for _, e := range examples[c.ID] {
			has[e.want] = true
		}
		if !has[Supported] || !has[Refuted] {
			t.Errorf("%s: no example that supports it and one that refutes it", c.ID)
		}
	}
}

func TestEveryClaimSaysWhatItIs(t *testing.T) {
	for _, c := range All() {
		if c.Statement == "" || c.Source == "" || c.Refutation == "" || c.Experiment == "" {
			t.Errorf("%s: incomplete", c.ID)
		}
	}
}
