package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	return nil
}

// standing is the verdict with what limits it.
func standing(v claims.Verdict, when string) string {
	if when == "" {
		return string(v)
	}
	return string(v) + ": " + when
}
