package claims

import (
	"context"
	"fmt"

	"ipcbench/harness"
)

var headerBounded = Drawing(Define(Meta{
	ID:         "C3",
	Statement:  "The header of a message still has to be stored by the receiver, but its size is bounded: it does not depend on the payload.",
	Source:     "D2 part 2",
	Refutation: "Header bytes that grow with the payload, or none at all.",
	Experiment: "Bytes that the driver copies beside the payload, an operation, with payloads from 0 B to 4 MiB.",
}, func(ctx context.Context, b *Bench, s Subject) (copyCounts, error) {
	return b.copyCounts(ctx, s.Name())
}, judgeHeader), func(columns []string, numbers []copyCounts) []Figure {
	f := Figure{Title: "Bytes copied beside the payload", XLabel: "payload", XUnit: Bytes, YLabel: "bytes per operation", YUnit: Bytes, LogX: true}
	for i, n := range numbers {
		s := Series{Name: columns[i]}
		for _, c := range n.Sizes {
			if c.Bytes > 0 {
				s.Points = append(s.Points, [2]float64{float64(c.Bytes), c.Header})
			}
		}
		f.Series = append(f.Series, s)
	}
	return []Figure{f}
})

const (
	// steadyHeader is how far headers may be from that of an empty message:
	// commands that belong to no operation (a looper that reports, a reference
	// that is counted) fall into some rounds and not into others.
	steadyHeader = 1.25
	// grownHeader is what counts as growing.
	grownHeader = 2
)

func judgeHeader(n copyCounts) Judgement {
	if len(n.Sizes) < 2 || n.Sizes[0].Bytes != 0 {
		return Judgement{Verdict: Inconclusive, Text: "no empty message to compare with"}
	}
	empty, low, high := n.Sizes[0].Header, n.Sizes[0].Header, n.Sizes[0].Header
	for _, c := range n.Sizes {
		low, high = min(low, c.Header), max(high, c.Header)
	}
	last := n.Sizes[len(n.Sizes)-1]
	j := Judgement{Confidence: sourcesText(n), Text: fmt.Sprintf(
		"%.0f header bytes an operation (request and reply, both ends) without payload, %.0f to %.0f at payloads up to %s",
		empty, low, high, harness.SizeText(last.Bytes))}
	switch {
	case high == 0:
		j.Verdict, j.Text = Refuted, "no header is stored at all: 0 bytes an operation"
	case high > grownHeader*empty:
		j.Verdict = Refuted
	case high <= steadyHeader*empty:
		j.Verdict = Supported
	default:
		j.Verdict = Inconclusive
	}
	return j
}
