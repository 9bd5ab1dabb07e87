package claims

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Verdict is what became of a claim.
type Verdict string

// The verdicts. Conditional: it holds under conditions that the judgement names.
const (
	Supported    Verdict = "supported"
	Refuted      Verdict = "refuted"
	Conditional  Verdict = "conditional"
	Inconclusive Verdict = "inconclusive"
	NotTestable  Verdict = "not testable"
)

var verdicts = []Verdict{Supported, Refuted, Conditional, Inconclusive, NotTestable}

// Known reports one of the verdicts.
func (v Verdict) Known() bool { return slices.Contains(verdicts, v) }

// VerdictNames are all verdicts, for messages.
func VerdictNames() string {
	var names []string
	for _, v := range verdicts {
		names = append(names, string(v))
	}
	return strings.Join(names, ", ")
}

// Decided reports a verdict that says something of the claim.
func (v Verdict) Decided() bool { return v == Supported || v == Refuted || v == Conditional }

// Judgement is what a rule makes of numbers.
type Judgement struct {
	Verdict Verdict
	// When the claim holds, if that is not always.
	When string
	// Confidence says what the verdict rests on: how many sources agree, or
	// which intervals.
	Confidence string
	// Text has the numbers that decided, in a sentence.
	Text string
}

// Meta is what is known of a claim before it is tried.
type Meta struct {
	// ID is "C1" to "C18".
	ID string
	// Statement of the documents, and Source, where they make it.
	Statement, Source string
	// Refutation says what would refute it, and Experiment what is done.
	Refutation, Experiment string
	// Timed: the rule reads times. They decide nothing where the machine is
	// emulated.
	Timed bool
}

// Claim is a statement with its experiment and its rule.
type Claim struct {
	Meta
	// columns are the subjects of the claim, on a bench.
	columns func(*Bench) []string
	measure func(ctx context.Context, b *Bench, column string) (any, error)
	judge   func(any) Judgement
	// read is numbers that were stored.
	read func(json.RawMessage) (any, error)
	// draw makes pictures of the numbers of all columns; it may be nil.
	draw func([]measured) []Figure
	// tabulate makes tables of them likewise; it may be nil.
	tabulate func([]measured) []Table
}

// measured is a column with its numbers.
type measured struct {
	column  string
	numbers any
}

// Define makes a claim about Binder, with a column for each device. measure
// reports what a subject does, or an error; one that wraps errors.ErrUnsupported
// makes the column NotTestable. The numbers must be fit for JSON.
func Define[N any](meta Meta, measure func(context.Context, *Bench, Subject) (N, error), judge func(N) Judgement) Claim {
	return Claim{
		Meta:    meta,
		columns: (*Bench).subjectNames,
		measure: func(ctx context.Context, b *Bench, column string) (any, error) {
			subject, err := b.subject(column)
			if err != nil {
				return nil, err
			}
			return measure(ctx, b, subject)
		},
		judge: func(numbers any) Judgement { return judge(numbers.(N)) },
		read:  readNumbers[N],
	}
}

// DefineFor makes a claim about other mechanisms, with a column for each of the
// transports named.
func DefineFor[N any](meta Meta, transports []string, measure func(context.Context, *Bench, string) (N, error), judge func(N) Judgement) Claim {
	return Claim{
		Meta:    meta,
		columns: func(*Bench) []string { return transports },
		measure: func(ctx context.Context, b *Bench, column string) (any, error) { return measure(ctx, b, column) },
		judge:   func(numbers any) Judgement { return judge(numbers.(N)) },
		read:    readNumbers[N],
	}
}

func readNumbers[N any](raw json.RawMessage) (any, error) {
	var n N
	err := json.Unmarshal(raw, &n)
	return n, err
}

// Drawing adds pictures to a claim: draw gets the numbers of the columns that
// have some, by column and in their order.
func Drawing[N any](c Claim, draw func(columns []string, numbers []N) []Figure) Claim {
	c.draw = func(all []measured) []Figure { return draw(apart[N](all)) }
	return c
}

// Tabulating adds tables to a claim, as Drawing adds pictures.
func Tabulating[N any](c Claim, tabulate func(columns []string, numbers []N) []Table) Claim {
	c.tabulate = func(all []measured) []Table { return tabulate(apart[N](all)) }
	return c
}

// apart are the names of columns, and their numbers.
func apart[N any](all []measured) (columns []string, numbers []N) {
	for _, m := range all {
		columns, numbers = append(columns, m.column), append(numbers, m.numbers.(N))
	}
	return columns, numbers
}

// ErrUnknownClaim reports an id that All does not have.
var ErrUnknownClaim = errors.New("unknown claim")

// Select finds claims by their ids, in the order of All and each once; all of
// them where ids is empty. It wraps ErrUnknownClaim.
func Select(ids []string) ([]Claim, error) {
	if len(ids) == 0 {
		return All(), nil
	}
	wanted := map[string]bool{}
	for _, id := range ids {
		if _, err := Lookup(id); err != nil {
			return nil, err
		}
		wanted[id] = true
	}
	var selected []Claim
	for _, c := range All() {
		if wanted[c.ID] {
			selected = append(selected, c)
		}
	}
	return selected, nil
}

// Lookup finds a claim by its id, or wraps ErrUnknownClaim.
func Lookup(id string) (Claim, error) {
	all := All()
	for _, c := range all {
		if c.ID == id {
			return c, nil
		}
	}
	return Claim{}, fmt.Errorf("%w %q (have %s to %s)", ErrUnknownClaim, id, all[0].ID, all[len(all)-1].ID)
}
