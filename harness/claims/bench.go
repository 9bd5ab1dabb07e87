package claims

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"ipcbench/harness"
	"ipcbench/harness/env"
	"ipcbench/ipc"
)

// Bench is what experiments are made with. Experiments that several claims read
// are kept in it, so that a claim may ask for one as if it were the first.
type Bench struct {
	// Transports that the command knows.
	Transports *ipc.Registry
	// Subjects are the Binder devices.
	Subjects []Subject
	// Environment is the machine that the experiments run on.
	Environment env.Environment
	// Progress may be nil.
	Progress harness.Progress

	done, total int
	failures    []error
	copied      once[*copyRun]
	speeds      map[condition]*once[*speedRun]
}

// once keeps the outcome of an experiment.
type once[T any] struct {
	value T
	err   error
	ran   bool
}

func (o *once[T]) do(run func() (T, error)) (T, error) {
	if !o.ran {
		o.value, o.err = run()
		o.ran = true
	}
	return o.value, o.err
}

// tell shows how far the experiment of one claim is (0 to 1).
func (b *Bench) tell(done float64, what string) {
	if b.Progress != nil {
		b.Progress((float64(b.done)+done)/float64(max(b.total, 1)), what)
	}
}

// Try tries claims one after the other. When ctx ends it returns what was judged
// until then, and an error; the report says that it is incomplete. An experiment
// that fails leaves its column inconclusive, and is an error at the end as well.
func (b *Bench) Try(ctx context.Context, list []Claim) (*Report, error) {
	r := &Report{Schema: Schema, Environment: b.Environment, Claims: []Outcome{}}
	b.done, b.total, b.failures = 0, len(list), nil
	for _, c := range list {
		b.tell(0, c.ID+": "+c.Statement)
		outcome := b.try(ctx, c)
		if ctx.Err() != nil {
			b.failures = append(b.failures, fmt.Errorf("%s: %w: %w", c.ID, harness.ErrInterrupted, ctx.Err()))
			break
		}
		r.Claims = append(r.Claims, outcome)
		b.done++
	}
	err := errors.Join(b.failures...)
	if err != nil {
		r.Incomplete = err.Error()
	}
	return r, err
}

func (b *Bench) try(ctx context.Context, c Claim) Outcome {
	o := Outcome{ID: c.ID, Statement: c.Statement, Source: c.Source,
		Refutation: c.Refutation, Experiment: c.Experiment, Columns: map[string]Column{}}
	var all []measured
	for _, name := range c.columns(b) {
		column, numbers, err := b.column(ctx, c, name)
		if ctx.Err() != nil {
			return o
		}
		if err != nil {
			b.failures = append(b.failures, fmt.Errorf("%s: %s: %w", c.ID, name, err))
			column = Column{Verdict: Inconclusive, Evidence: Evidence{Text: "the experiment failed: " + err.Error()}}
		}
		o.Order, o.Columns[name] = append(o.Order, name), column
		if numbers != nil {
			all = append(all, measured{name, numbers})
		}
	}
	o.conclude()
	if c.draw != nil && len(all) > 0 {
		o.Figures = c.draw(all)
	}
	if c.tabulate != nil && len(all) > 0 {
		o.Tables = c.tabulate(all)
	}
	return o
}

// column measures and judges one subject. An error means that the experiment
// itself failed; a subject that is not there is a verdict.
func (b *Bench) column(ctx context.Context, c Claim, name string) (Column, any, error) {
	numbers, err := c.measure(ctx, b, name)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return Column{Verdict: NotTestable, Evidence: Evidence{Text: err.Error()}}, nil, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Column{Verdict: Inconclusive, Evidence: Evidence{Text: "the experiment came to no end: " + err.Error()}}, nil, nil
	case err != nil:
		return Column{}, nil, err
	}
	j := c.judgeOn(b.Environment, numbers)
	raw, err := json.Marshal(numbers)
	if err != nil {
		return Column{}, nil, err
	}
	return Column{Verdict: j.Verdict, When: j.When, Confidence: j.Confidence,
		Evidence: Evidence{Text: j.Text, Numbers: raw}}, numbers, nil
}

// judgeOn judges numbers of a machine.
func (c Claim) judgeOn(e env.Environment, numbers any) Judgement {
	j := c.judge(numbers)
	if c.Timed && e.Emulated {
		j = emulated(j, e.Virtualisation)
	}
	return j
}

// emulated takes the decision from times that an emulator made.
func emulated(j Judgement, machine string) Judgement {
	return Judgement{Verdict: NotTestable,
		Text: fmt.Sprintf("times under %s, an emulation, decide nothing; seen there: %s", machine, j.Text)}
}
