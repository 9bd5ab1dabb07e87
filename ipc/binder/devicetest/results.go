package devicetest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Outcome is what came of a row.
type Outcome string

// The outcomes.
const (
	Pass      Outcome = "pass"
	Fail      Outcome = "fail"
	Deviation Outcome = "deviation" // cannot apply to the device
	Skip      Outcome = "skip"      // not here and now: a facility is missing
)

// RowResult is one row on one device. Reason says why it did not run.
type RowResult struct {
	Row     string  `json:"row"`
	Title   string  `json:"title"`
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"`
}

// Results are those of a run on one device.
type Results struct {
	Device  string      `json:"device"`
	Release string      `json:"release"` // of the kernel whose driver it is, or that the device follows
	Rows    []RowResult `json:"rows"`
}

// Count is how many rows came out so.
func (r Results) Count(o Outcome) (n int) {
	for _, row := range r.Rows {
		if row.Outcome == o {
			n++
		}
	}
	return n
}

// Write stores the results as DIR/DEVICE-RELEASE.json.
func (r Results) Write(dir string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, r.Device+"-"+r.Release+".json"), append(b, '\n'), 0o644)
}

// Read loads what Write stored.
func Read(path string) (r Results, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// NotRun are the results on a device that is not here, which is the reason.
func NotRun(b Backend, reason error) Results {
	r := b.results()
	for _, row := range rows {
		r.Rows = append(r.Rows, RowResult{Row: row.id(), Title: row.title, Outcome: Skip, Reason: oneLine(reason)})
	}
	return r
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// Table is rows by devices in Markdown, one column for each of the results,
// followed by the reason for everything that is not a pass.
func Table(all ...Results) string {
	var b strings.Builder
	b.WriteString("| row | what |")
	rule := "\n| --- | --- |"
	for _, r := range all {
		fmt.Fprintf(&b, " %s (%s) |", r.Device, r.Release)
		rule += " --- |"
	}
	b.WriteString(rule + "\n")
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s | %s |", row.id(), row.title)
		for _, r := range all {
			fmt.Fprintf(&b, " %s |", r.of(row).Outcome)
		}
		b.WriteString("\n")
	}
	b.WriteString("| | pass |")
	for _, r := range all {
		fmt.Fprintf(&b, " %d of %d |", r.Count(Pass), len(rows))
	}
	b.WriteString("\n")
	if notes := notesOn(all); notes != "" {
		b.WriteString("\n" + notes)
	}
	return b.String()
}

// of is what came of a row.
func (r Results) of(row row) RowResult {
	at := slices.IndexFunc(r.Rows, func(result RowResult) bool { return result.Row == row.id() })
	if at < 0 {
		return RowResult{Row: row.id(), Outcome: "not run"}
	}
	return r.Rows[at]
}

// notesOn are the reasons, each once for all rows and devices that share it.
func notesOn(all []Results) string {
	where := map[string][]string{}
	var reasons []string
	note := func(reason, place string) {
		if where[reason] == nil {
			reasons = append(reasons, reason)
		}
		where[reason] = append(where[reason], place)
	}
	for _, r := range all {
		if reason := r.commonReason(); reason != "" {
			note(reason, "all rows on "+r.Device)
			continue
		}
		for _, row := range r.Rows {
			if row.Reason != "" {
				note(row.Reason, row.Row+" on "+r.Device)
			}
		}
	}
	var b strings.Builder
	for _, reason := range reasons {
		fmt.Fprintf(&b, "- %s: %s\n", strings.Join(where[reason], ", "), reason)
	}
	return b.String()
}

// commonReason is the one that all rows have, if any.
func (r Results) commonReason() string {
	for _, row := range r.Rows {
		if row.Reason != r.Rows[0].Reason {
			return ""
		}
	}
	if len(r.Rows) == 0 {
		return ""
	}
	return r.Rows[0].Reason
}
