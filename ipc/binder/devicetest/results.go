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
	Release string      `json:"release"` // of the driver, or of the one it follows
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

// Table is rows by devices in Markdown, one column for each of the results,
// followed by the reason for everything that is not a pass.
func Table(all ...Results) string {
	var b, notes strings.Builder
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
			fmt.Fprintf(&b, " %s |", r.cell(row, &notes))
		}
		b.WriteString("\n")
	}
	b.WriteString("| | pass |")
	for _, r := range all {
		fmt.Fprintf(&b, " %d of %d |", r.Count(Pass), len(rows))
	}
	b.WriteString("\n")
	if notes.Len() > 0 {
		b.WriteString("\n" + notes.String())
	}
	return b.String()
}

// cell is a row's outcome; its reason goes to the notes.
func (r Results) cell(row row, notes *strings.Builder) string {
	at := slices.IndexFunc(r.Rows, func(result RowResult) bool { return result.Row == row.id() })
	if at < 0 {
		return "not run"
	}
	if reason := r.Rows[at].Reason; reason != "" {
		fmt.Fprintf(notes, "- %s on %s: %s\n", row.id(), r.Device, reason)
	}
	return string(r.Rows[at].Outcome)
}
