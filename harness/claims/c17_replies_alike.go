package claims

import (
	"context"
	"fmt"
	"math"
	"strings"

	"ipcbench/harness/evidence"
)

var repliesAlike = Drawing(Define(Meta{
	ID:        "C17",
	Statement: "Replies travel by the same mechanism as requests: one copy, into the caller's own region, and not through the memory of the request.",
	Source:    "D2 part 1",
	Refutation: "A reply that is copied another number of times than its request, or that is found in the " +
		"memory in which the request was received.",
	Experiment: "Copies of replies and of requests, counted where they are made; after an operation both processes' " +
		"memory is searched for the two payloads, and the places where they were received are compared.",
}, func(ctx context.Context, b *Bench, s Subject) (replyPaths, error) {
	n, err := b.copyCounts(ctx, s.Name())
	if err != nil {
		return replyPaths{}, err
	}
	return pathsOf(n), nil
}, judgeReplies), drawReplies)

// replyPath is the way of requests and replies of one size.
type replyPath struct {
	Bytes   int     `json:"payload_bytes"`
	Request float64 `json:"copies_request"`
	Reply   float64 `json:"copies_reply"`
	// RequestRegion and ReplyRegion are the regions in which the messages were
	// received, empty where the search did not say.
	RequestRegion string `json:"request_region,omitempty"`
	ReplyRegion   string `json:"reply_region,omitempty"`
}

type replyPaths struct {
	Paths []replyPath `json:"paths"`
}

func pathsOf(n copyCounts) (all replyPaths) {
	for _, c := range n.Sizes {
		if c.Bytes == 0 {
			continue
		}
		all.Paths = append(all.Paths, replyPath{c.Bytes, c.Request, c.Reply,
			received(c.Sources["canary_request"]), received(c.Sources["canary_reply"])})
	}
	return all
}

// received is the region that a scan found a payload in, the sender's own buffer
// being anonymous; empty if there is not exactly one.
func received(f evidence.Finding) (region string) {
	for _, p := range f.Places {
		name := regionOf(p)
		if name == "" {
			continue
		}
		if region != "" && region != name {
			return ""
		}
		region = name
	}
	return region
}

// regionOf names the object that a place lies in, "device:inode", or the mapping of
// a device, which is another memory in each process. It is empty for a process's
// anonymous memory.
func regionOf(p evidence.Place) string {
	if p.Inode != 0 {
		return fmt.Sprintf("%x:%d", p.Device, p.Inode)
	}
	for _, v := range p.Views {
		if strings.HasPrefix(v.Mapping, "/") {
			return fmt.Sprintf("%s of process %d", v.Mapping, v.PID)
		}
	}
	return ""
}

// judgeReplies: supported where replies are copied as often as requests at every
// size, and into another object wherever both were found. One object for both is
// the request's memory.
func judgeReplies(n replyPaths) Judgement {
	alike, found, shared := 0, 0, 0
	for _, p := range n.Paths {
		if math.Abs(p.Reply-p.Request) <= sameCount {
			alike++
		}
		if p.RequestRegion != "" && p.ReplyRegion != "" {
			found++
			if p.RequestRegion == p.ReplyRegion {
				shared++
			}
		}
	}
	j := Judgement{Text: fmt.Sprintf("replies are copied as often as requests at %d of %d sizes; "+
		"at %d of %d sizes where both were found in memory, the reply lay in another region than the request",
		alike, len(n.Paths), found-shared, found), Confidence: "ledger, canary scan"}
	switch {
	case len(n.Paths) == 0:
		j.Verdict, j.Text = Inconclusive, "no payload was carried"
	case alike < len(n.Paths) || shared > 0:
		j.Verdict = Refuted
	case found == 0:
		j.Verdict = Inconclusive
	default:
		j.Verdict = Supported
	}
	return j
}

func drawReplies(columns []string, numbers []replyPaths) []Figure {
	f := Figure{Title: "Copies of requests and of replies", YLabel: "copies", Categories: columns}
	requests, replies := Series{Name: "request"}, Series{Name: "reply"}
	for i, n := range numbers {
		last := n.Paths[len(n.Paths)-1]
		requests.Points = append(requests.Points, [2]float64{float64(i), last.Request})
		replies.Points = append(replies.Points, [2]float64{float64(i), last.Reply})
	}
	f.Series = []Series{requests, replies}
	return []Figure{f}
}
