package claims

import (
	"context"
	"fmt"
	"strings"
)

var saferThanShm = Tabulating(Define(Meta{
	ID: "C9",
	Statement: "Binder is safer than shared memory: what a receiver has cannot be changed under its feet, and it needs no " +
		"synchronisation of its own.",
	Source: "D2 part 1",
	Refutation: "An attack through the device's interface that succeeds; or none of the attacks succeeding on shared memory, so " +
		"that there is nothing to be safer than.",
	Experiment: "Attacks that really run, in processes of their own, on a Binder device and on a SysV shared memory segment: " +
		"the sender changes a message that was received; the receiver writes to it; another process of the user, and one " +
		"of another user, get in; the sender says it is somebody else. Each is made through the interface and on raw memory: " +
		"whatever a process has mapped or may open, short of a debugger's rights.",
}, measureAttacks, judgeAttacks), tabulateAttacks)

// attackNumbers is what became of each attack.
type attackNumbers struct{ Attacks []attack }

// attack is one attack on both media.
type attack struct {
	Name string
	// Raw: on memory, and not through the interface.
	Raw         bool
	Binder, Shm fate
}

// fate is what became of an attack.
type fate struct {
	// Untried says why, or is empty.
	Untried string `json:",omitempty"`
	// Fell: the attack had its way.
	Fell bool
	// Happened says what happened.
	Happened string
}

func (o fate) String() string {
	switch {
	case o.Untried != "":
		return "not tried: " + o.Untried
	case o.Fell:
		return "FELL: " + o.Happened
	}
	return "held: " + o.Happened
}

func judgeAttacks(n attackNumbers) Judgement {
	var interfaceFell, rawFell []string
	tried, shm := 0, 0
	for _, a := range n.Attacks {
		if a.Binder.Untried == "" {
			tried++
		}
		if a.Shm.Fell {
			shm++
		}
		switch {
		case a.Binder.Fell && a.Raw:
			rawFell = append(rawFell, a.Name)
		case a.Binder.Fell:
			interfaceFell = append(interfaceFell, a.Name)
		}
	}
	j := Judgement{Verdict: Supported, Confidence: fmt.Sprintf("%d attacks really made, each on both", tried),
		Text: fmt.Sprintf("of %d attacks on Binder %d succeed through the interface and %d on raw memory; %d of the same do on shared memory",
			tried, len(interfaceFell), len(rawFell), shm)}
	switch {
	case tried == 0:
		return Judgement{Verdict: Inconclusive, Text: fmt.Sprintf("none of %d attacks was tried", len(n.Attacks))}
	case len(interfaceFell) > 0:
		return Judgement{Verdict: Refuted, Text: j.Text + ": " + strings.Join(interfaceFell, ", ")}
	case shm == 0:
		return Judgement{Verdict: Refuted, Text: j.Text}
	case len(rawFell) > 0:
		j.Verdict = Conditional
		j.When = "every process keeps to the device's interface: on raw memory it falls to " + strings.Join(rawFell, ", ")
	}
	return j
}

func measureAttacks(_ context.Context, _ *Bench, subject Subject) (n attackNumbers, err error) {
	ctx, err := openContext(subject)
	if err != nil {
		return n, err
	}
	defer closing(ctx.close, &err)
	// Each attack has processes of its own, and a context may end with its last.
	keeper, err := subject.Open(ctx.place)
	if err != nil {
		return n, err
	}
	defer closing(func() error { return closeDevice(keeper) }, &err)
	onBinder, err := attackAll(&binderField{ctx})
	if err != nil {
		return n, err
	}
	onShm, err := attackSegment()
	if err != nil {
		return n, err
	}
	for i, a := range attacks {
		n.Attacks = append(n.Attacks, attack{Name: a.name, Raw: a.raw, Binder: onBinder[i], Shm: onShm[i]})
	}
	return n, nil
}

// tabulateAttacks has a row an attack and a column a medium.
func tabulateAttacks(columns []string, numbers []attackNumbers) []Table {
	t := Table{Title: "Attacks, and what became of them", Header: append([]string{"attack", "on"}, columns...)}
	t.Header = append(t.Header, "SysV shm")
	for i, a := range attacks {
		level := "interface"
		if a.raw {
			level = "raw memory"
		}
		row := []string{a.name, level}
		for _, n := range numbers {
			row = append(row, n.Attacks[i].Binder.String())
		}
		t.Rows = append(t.Rows, append(row, numbers[0].Attacks[i].Shm.String()))
	}
	return []Table{t}
}
