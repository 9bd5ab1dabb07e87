package claims

import (
	"encoding/json"
	"fmt"
	"strings"

	"ipcbench/harness/env"
)

// Schema names the JSON form of a Report.
const Schema = "ipcbench.claims/v1"

// Report is what became of the claims on a machine.
type Report struct {
	Schema      string          `json:"schema"`
	Environment env.Environment `json:"environment"`
	Claims      []Outcome       `json:"claims"`
	// Incomplete says why claims are missing, or is empty.
	Incomplete string `json:"incomplete,omitempty"`
	// Elsewhere are the machines of columns that Beside added.
	Elsewhere []Elsewhere `json:"elsewhere,omitempty"`
}

// Outcome is what became of one claim.
type Outcome struct {
	ID         string `json:"id"`
	Statement  string `json:"statement"`
	Source     string `json:"source"`
	Refutation string `json:"refutation"`
	Experiment string `json:"experiment"`
	// Verdict over all columns that were decided; see conclude.
	Verdict    Verdict `json:"verdict"`
	When       string  `json:"when,omitempty"`
	Confidence string  `json:"confidence,omitempty"`
	// Evidence is that of the columns, in a text.
	Evidence Evidence `json:"evidence"`
	// Columns by subject, and Order, in which they are shown.
	Columns map[string]Column `json:"columns"`
	Order   []string          `json:"order"`
	Figures []Figure          `json:"figures,omitempty"`
	Tables  []Table           `json:"tables,omitempty"`
}

// Column is the claim on one subject.
type Column struct {
	Verdict    Verdict  `json:"verdict"`
	When       string   `json:"when,omitempty"`
	Confidence string   `json:"confidence,omitempty"`
	Evidence   Evidence `json:"evidence"`
}

// Evidence is what a verdict rests on: a sentence, and the numbers that the rule
// was given.
type Evidence struct {
	Text    string          `json:"text"`
	Numbers json.RawMessage `json:"numbers,omitempty"`
}

// Table is what was seen, row by row.
type Table struct {
	Title  string     `json:"title"`
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
}

// Figure is a picture of the numbers, for renderers to draw.
type Figure struct {
	Title  string `json:"title"`
	XLabel string `json:"x_label,omitempty"`
	YLabel string `json:"y_label"`
	// XUnit and YUnit are [Bytes], [Nanoseconds], or empty.
	XUnit string `json:"x_unit,omitempty"`
	YUnit string `json:"y_unit,omitempty"`
	// Log axes; a figure of counts has none.
	LogX bool `json:"log_x,omitempty"`
	LogY bool `json:"log_y,omitempty"`
	// Steps: a value holds until the next one.
	Steps bool `json:"steps,omitempty"`
	// Categories make it a figure of bars: a point's x is a category's number.
	Categories []string `json:"categories,omitempty"`
	Series     []Series `json:"series"`
}

// Units of a figure's axis.
const (
	Bytes       = "B"
	Nanoseconds = "ns"
)

// Series is a line of a figure.
type Series struct {
	Name   string       `json:"name"`
	Points [][2]float64 `json:"points"`
}

// conclude makes the claim's verdict from its columns: theirs where all decided
// ones agree, conditional where they differ, so that it holds on some subjects.
func (o *Outcome) conclude() {
	by := map[Verdict][]string{}
	var texts []string
	for _, name := range o.Order {
		c := o.Columns[name]
		by[c.Verdict] = append(by[c.Verdict], name)
		texts = append(texts, name+": "+c.Evidence.Text)
	}
	o.Evidence.Text = strings.Join(texts, "; ")
	decided := 0
	for v := range by {
		if v.Decided() {
			o.Verdict = v
			decided++
		}
	}
	switch {
	case decided > 1:
		o.Verdict = Conditional
		o.When = o.differences()
	case decided == 1:
		o.adopt(by[o.Verdict])
	case len(by[Inconclusive]) > 0:
		o.Verdict = Inconclusive
	default:
		o.Verdict = NotTestable
	}
}

// adopt takes over what the columns of the one verdict say.
func (o *Outcome) adopt(names []string) {
	first := o.Columns[names[0]]
	o.When, o.Confidence = first.When, first.Confidence
	for _, name := range names[1:] {
		if o.Columns[name].When != first.When {
			o.When = o.differences()
		}
		if o.Columns[name].Confidence != first.Confidence {
			o.Confidence = ""
		}
	}
}

// differences says of each decided column when it holds there.
func (o *Outcome) differences() string {
	var parts []string
	for _, name := range o.Order {
		c := o.Columns[name]
		switch {
		case !c.Verdict.Decided():
		case c.When != "":
			parts = append(parts, fmt.Sprintf("%s: %s", name, c.When))
		default:
			parts = append(parts, fmt.Sprintf("%s: %s", name, c.Verdict))
		}
	}
	return strings.Join(parts, "; ")
}

// Find is the outcome of a claim, or nil.
func (r *Report) Find(id string) *Outcome {
	for i := range r.Claims {
		if r.Claims[i].ID == id {
			return &r.Claims[i]
		}
	}
	return nil
}

// Marshal is the stored JSON form, indented, with a final newline.
func (r *Report) Marshal() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}
