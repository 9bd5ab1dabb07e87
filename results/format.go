package results

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Renderer writes a result in one format.
type Renderer func(w io.Writer, r *Result) error

// Format is a way to write a result.
type Format struct {
	Name    string
	Summary string
	// Single: the output of several results one after the other is no
	// document of the format.
	Single bool
	Render Renderer
}

// PageFormat is the format that shows a result and claims together; see Page.
const PageFormat = "html"

// Formats lists all formats, the default first.
var Formats = []Format{
	{Name: "table", Summary: "aligned text, at most 100 columns wide", Render: Table},
	{Name: "markdown", Summary: "Markdown tables", Render: Markdown},
	{Name: "summary", Summary: "one Markdown table over all sizes: p50 and multiple of the floor", Render: Summary},
	{Name: "json", Summary: "everything, as it is stored", Render: JSON},
	{Name: "csv", Summary: "one row a cell", Render: CSV},
	{Name: "gobench", Summary: "Go benchmark text, one line a round, for benchstat", Render: GoBench},
	{Name: "action-smaller", Summary: "github-action-benchmark, smaller is better", Single: true, Render: ActionSmaller},
	{Name: "action-bigger", Summary: "github-action-benchmark, bigger is better", Single: true, Render: ActionBigger},
	{Name: "bencher", Summary: "Bencher Metric Format", Single: true, Render: Bencher},
	{Name: "openmetrics", Summary: "OpenMetrics text, for Prometheus and its like", Single: true, Render: OpenMetrics},
	{Name: PageFormat, Summary: "one self-contained page with plots", Single: true, Render: HTML},
}

// ErrUnknownFormat reports a name that Formats does not have.
var ErrUnknownFormat = errors.New("unknown format")

// LookupFormat finds a format by its name, or wraps ErrUnknownFormat.
func LookupFormat(name string) (Format, error) {
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("%w %q (have %s)", ErrUnknownFormat, name, FormatNames())
}

// FormatNames is the names of all formats, for messages.
func FormatNames() string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

// JSON writes the stored form.
func JSON(w io.Writer, r *Result) error {
	b, err := r.Marshal()
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}
