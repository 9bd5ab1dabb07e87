package claims

import (
	"context"
	"fmt"
	"strings"

	"ipcbench/harness"
	"ipcbench/ipc/copies"
)

var fewerSystemCalls = Drawing(Define(Meta{
	ID:         "C8",
	Statement:  "Binder reduces the overhead of system calls.",
	Source:     "D1 4",
	Refutation: "As many system calls an operation as the traditional mechanism that makes the fewest.",
	Experiment: "System calls and context switches per operation of Binder and of each traditional mechanism over sizes, " +
		"waits and placements; the ledger's number of calls is checked against the kernel's tracepoints.",
	Timed: true,
}, measureCalls, judgeCalls), drawCalls)

// calls are made in an operation, by all of its processes, by the ledger; and how
// often the kernel switched between threads.
type calls struct {
	Syscalls float64 `json:"syscalls_per_op"`
	Switches float64 `json:"context_switches_per_op"`
}

// callContest is a subject and its rivals at one size and condition.
type callContest struct {
	condition
	Bytes   int              `json:"payload_bytes"`
	Subject calls            `json:"subject"`
	Rivals  map[string]calls `json:"rivals"`
}

// tracedCalls is what the tracepoints counted beside the ledger.
type tracedCalls struct {
	Bytes  int     `json:"payload_bytes"`
	Ledger float64 `json:"ledger"`
	Kernel float64 `json:"kernel"`
}

type callContests struct {
	Contests []callContest `json:"contests"`
	// Traced is empty where tracepoints may not be used.
	Traced []tracedCalls `json:"traced"`
}

func measureCalls(ctx context.Context, b *Bench, s Subject) (callContests, error) {
	counts, err := b.copyCounts(ctx, s.Name())
	if err != nil {
		return callContests{}, err
	}
	var n callContests
	for _, c := range counts.Sizes {
		f := c.Sources["accounting"]
		if kernel, counted := f.Counted["syscalls"]; counted {
			n.Traced = append(n.Traced, tracedCalls{c.Bytes, f.Ledger["syscalls"], kernel})
		}
	}
	for _, c := range conditions() {
		run, err := b.speed(ctx, c)
		if err != nil {
			return callContests{}, err
		}
		for _, size := range run.sizes(s.Name()) {
			contest := callContest{condition: c, Bytes: size, Subject: callsOf(run.cells[s.Name()][size]), Rivals: map[string]calls{}}
			for _, rival := range rivals {
				if cell := run.cells[rival][size]; cell != nil {
					contest.Rivals[rival] = callsOf(cell)
				}
			}
			n.Contests = append(n.Contests, contest)
		}
	}
	return n, nil
}

func callsOf(c *harness.CellRecord) calls {
	var ledger copies.Report
	var operations uint64
	var switches int64
	for _, rounds := range c.Generations {
		for _, r := range rounds {
			ledger.Add(r.Ledger)
			operations += r.CostOperations
			switches += r.Usage.VoluntarySwitches + r.Usage.InvoluntarySwitches
		}
	}
	per := 1 / float64(max(operations, 1))
	return calls{float64(ledger.OperationSyscalls()) * per, float64(switches) * per}
}

const (
	// fewer is the share of a rival's calls that counts as fewer, and asMany
	// that which counts as as many. What lies between is open: how often an end
	// sleeps depends on the machine's load.
	fewer  = 0.75
	asMany = 0.9
	// tracedAlike is how far the tracepoints' count may be from the ledger's:
	// idle threads of a pool look around now and then, which is in no operation.
	tracedAlike = 0.1
)

func (c callContest) outcome() outcome {
	least, have := 0.0, false
	for _, r := range c.Rivals {
		if !have || r.Syscalls < least {
			least, have = r.Syscalls, true
		}
	}
	switch {
	case !have:
		return open
	case c.Subject.Syscalls <= fewer*least:
		return more
	case c.Subject.Syscalls >= asMany*least:
		return notMore
	}
	return open
}

// judgeCalls: supported where it makes fewer calls than every rival at all sizes
// and conditions, refuted where it does at none, conditional otherwise.
func judgeCalls(n callContests) Judgement {
	counts := map[outcome]int{}
	for _, c := range n.Contests {
		counts[c.outcome()]++
	}
	j := Judgement{Text: callsText(n), Confidence: "ledger only"}
	total := len(n.Contests)
	few := float64(counts[open]) <= manyOpen*float64(total)
	if text := tracedText(n.Traced); text != "" {
		j.Confidence = text
	}
	switch {
	case total == 0:
		j.Verdict, j.Text = Inconclusive, "nothing was counted"
	case tracesDiffer(n.Traced):
		j.Verdict = Inconclusive
	case counts[notMore] == 0 && counts[more] > 0 && few:
		j.Verdict = Supported
	case counts[more] == 0 && float64(counts[notMore]) >= mostAgainst*float64(total):
		j.Verdict = Refuted
	case counts[more] > 0 && counts[notMore] > 0:
		j.Verdict, j.When = Conditional, whereFewer(n)
	default:
		j.Verdict = Inconclusive
	}
	return j
}

// whereFewer names the conditions, with the sizes, at which calls are saved.
func whereFewer(n callContests) string {
	var order []condition
	saved, all := map[condition][]int{}, map[condition]int{}
	for _, c := range n.Contests {
		if all[c.condition]++; all[c.condition] == 1 {
			order = append(order, c.condition)
		}
		if c.outcome() == more {
			saved[c.condition] = append(saved[c.condition], c.Bytes)
		}
	}
	var parts []string
	for _, c := range order {
		switch sizes := saved[c]; len(sizes) {
		case 0:
		case all[c]:
			parts = append(parts, c.String())
		default:
			parts = append(parts, c.String()+" at "+sizeList(sizes))
		}
	}
	return strings.Join(parts, "; ")
}

// callsText tells the smallest size of each condition.
func callsText(n callContests) string {
	var parts []string
	seen := map[condition]bool{}
	for _, c := range n.Contests {
		if seen[c.condition] {
			continue
		}
		seen[c.condition] = true
		text := fmt.Sprintf("%s, %s: %s", c.condition, harness.SizeText(c.Bytes), c.Subject)
		for _, name := range rivals {
			if r, have := c.Rivals[name]; have {
				text += fmt.Sprintf(", %s %s", name, r)
			}
		}
		parts = append(parts, text)
	}
	return "system calls / context switches an operation: " + strings.Join(parts, "; ")
}

func (c calls) String() string { return fmt.Sprintf("%.1f / %.1f", c.Syscalls, c.Switches) }

func tracesDiffer(traced []tracedCalls) bool {
	for _, t := range traced {
		if t.Kernel < t.Ledger*(1-tracedAlike) || t.Kernel > t.Ledger*(1+tracedAlike) {
			return true
		}
	}
	return false
}

func tracedText(traced []tracedCalls) string {
	var ledger, kernel float64
	for _, t := range traced {
		ledger, kernel = ledger+t.Ledger, kernel+t.Kernel
	}
	if kernel == 0 {
		return ""
	}
	return fmt.Sprintf("the ledger has %.0f calls where the kernel's tracepoints counted %.0f", ledger, kernel)
}

// drawCalls shows the smallest size of each condition.
func drawCalls(columns []string, numbers []callContests) (figures []Figure) {
	for i, n := range numbers {
		f := Figure{Title: "System calls of an operation of " + harness.SizeText(n.Contests[0].Bytes), YLabel: "system calls, all processes"}
		byName := map[string]*Series{}
		names := append([]string{columns[i]}, rivals...)
		for _, name := range names {
			byName[name] = &Series{Name: name}
		}
		for _, c := range n.Contests {
			if c.Bytes != n.Contests[0].Bytes {
				continue
			}
			at := float64(len(f.Categories))
			f.Categories = append(f.Categories, c.condition.String())
			byName[columns[i]].Points = append(byName[columns[i]].Points, [2]float64{at, c.Subject.Syscalls})
			for _, rival := range rivals {
				byName[rival].Points = append(byName[rival].Points, [2]float64{at, c.Rivals[rival].Syscalls})
			}
		}
		for _, name := range names {
			f.Series = append(f.Series, *byName[name])
		}
		figures = append(figures, f)
	}
	return figures
}
