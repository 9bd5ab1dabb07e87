package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"ipcbench/harness/claims"
)

// ClaimsFormat is a way to write what became of the claims.
type ClaimsFormat struct {
	Name, Summary string
	Render        func(io.Writer, *claims.Report) error
}

// ClaimsFormats lists all formats, the default first.
var ClaimsFormats = []ClaimsFormat{
	{"table", "each claim with its verdict and numbers, at most 100 columns wide", ClaimsTable},
	{"markdown", "Markdown", ClaimsMarkdown},
	{PageFormat, "one self-contained page with pictures", ClaimsHTML},
	{"json", "everything, as it is stored", ClaimsJSON},
}

// LookupClaimsFormat finds a format by its name, or wraps ErrUnknownFormat.
func LookupClaimsFormat(name string) (ClaimsFormat, error) {
	var names []string
	for _, f := range ClaimsFormats {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return ClaimsFormat{}, fmt.Errorf("%w %q of claims (have %s)", ErrUnknownFormat, name, strings.Join(names, ", "))
}

// ClaimsJSON writes the stored form.
func ClaimsJSON(w io.Writer, r *claims.Report) error {
	b, err := r.Marshal()
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// ReadClaimsFile reads the claims stored in a file. Errors name the file.
func ReadClaimsFile(name string) (*claims.Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := ReadClaims(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// ReadClaims reads stored claims and checks them: what it returns can be
// rendered. It wraps ErrDamaged or ErrForeign.
func ReadClaims(from io.Reader) (*claims.Report, error) {
	b, err := readBounded(from)
	if err != nil {
		return nil, err
	}
	if err := checkSchema(b, claims.Schema); err != nil {
		return nil, err
	}
	var r claims.Report
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	for i := range r.Claims {
		if err := checkOutcome(&r.Claims[i]); err != nil {
			return nil, fmt.Errorf("%w: claim %d: %v", ErrDamaged, i, err)
		}
	}
	return &r, nil
}

func checkOutcome(o *claims.Outcome) error {
	if err := checkName("claim", o.ID); err != nil {
		return err
	}
	if !o.Verdict.Known() {
		return fmt.Errorf("verdict %.40q", o.Verdict)
	}
	for _, name := range o.Order {
		column, have := o.Columns[name]
		switch {
		case !have:
			return fmt.Errorf("column %.40q is missing", name)
		case !column.Verdict.Known():
			return fmt.Errorf("column %.40q: verdict %.40q", name, column.Verdict)
		}
	}
	if len(o.Order) != len(o.Columns) {
		return errors.New("columns without an order")
	}
	for i := range o.Tables {
		if err := checkTable(&o.Tables[i]); err != nil {
			return fmt.Errorf("table %d: %w", i, err)
		}
	}
	for i := range o.Figures {
		if err := checkFigure(&o.Figures[i]); err != nil {
			return fmt.Errorf("figure %d: %w", i, err)
		}
	}
	return nil
}

// checkTable: a table has columns, and a cell for each in each row.
func checkTable(t *claims.Table) error {
	if len(t.Header) == 0 {
		return errors.New("no columns")
	}
	for i, row := range t.Rows {
		if len(row) != len(t.Header) {
			return fmt.Errorf("row %d has %d cells for %d columns", i, len(row), len(t.Header))
		}
	}
	return nil
}

// checkFigure: a point may be below zero, as a difference is, but no further
// from it than a figure of a run.
func checkFigure(f *claims.Figure) error {
	for _, s := range f.Series {
		for _, p := range s.Points {
			if err := checkFigures(math.Abs(p[0]), math.Abs(p[1])); err != nil {
				return err
			}
		}
	}
	return nil
}

// standing is the verdict with what limits it.
func standing(v claims.Verdict, when string) string {
	if when == "" {
		return string(v)
	}
	return string(v) + ": " + when
}
