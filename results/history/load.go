package history

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ipcbench/results"
)

// Stored is a result and the name of its file.
type Stored struct {
	Name   string
	Result *results.Result
	time   time.Time
}

// Skipped is a file that was left out.
type Skipped struct {
	Name string
	Err  error
}

// Damaged reports whether the file is one that should have been read: a foreign
// one has only strayed into the folder.
func (s Skipped) Damaged() bool { return !errors.Is(s.Err, results.ErrForeign) }

// errNoTime reports a result that cannot be put in order.
var errNoTime = errors.New("no time in its environment")

// Load reads the results among a folder's *.json files, in the order of the times
// they hold. What cannot be read is skipped. err is about the folder.
func Load(directory string) (stored []Stored, skipped []Skipped, err error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || filepath.Ext(e.Name()) != ".json" {
			continue
		}
		s, err := load(directory, e.Name())
		if err != nil {
			skipped = append(skipped, Skipped{e.Name(), err})
			continue
		}
		stored = append(stored, s)
	}
	if len(stored) == 0 {
		return nil, skipped, fmt.Errorf("%s: no stored result in this folder", directory)
	}
	slices.SortStableFunc(stored, func(a, b Stored) int { return cmp.Or(a.time.Compare(b.time), cmp.Compare(a.Name, b.Name)) })
	return stored, skipped, nil
}

func load(directory, name string) (Stored, error) {
	r, err := results.ReadFile(filepath.Join(directory, name))
	if err != nil {
		return Stored{}, err
	}
	when, err := time.Parse(time.RFC3339, r.Environment.Time)
	if err != nil {
		return Stored{}, fmt.Errorf("%s: %w", filepath.Join(directory, name), errNoTime)
	}
	return Stored{name, r, when}, nil
}

// matches reports whether a name is one of a list of names and globs; an empty
// list has all names.
func matches(patterns []string, name string) bool {
	if len(patterns) == 0 {
		return true
	}
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}

// CheckPatterns reports a glob that is none.
func CheckPatterns(patterns []string) error {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("transport %q: %w", p, err)
		}
	}
	return nil
}
