package results

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReference finds a page of results/reference that is not what Markdown makes
// of the JSON beside it; -update writes the pages anew.
func TestReference(t *testing.T) {
	stored, err := filepath.Glob("reference/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stored {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, []byte(Schema)) {
			continue // claims and comparisons have pages of their own
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			if diff := stale(t, name, *update); diff != "" {
				t.Errorf("-want +got; go test ./results -run TestReference -update rewrites it:\n%s", diff)
			}
		})
	}
}

// stale is how the page beside a stored result, with its plots, differs from what
// it should be.
func stale(t *testing.T, stored string, rewrite bool) string {
	t.Helper()
	r, err := ReadFile(stored)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSuffix(filepath.Base(stored), ".json")
	want := filepath.Join(t.TempDir(), name)
	writePage(t, want+".md", r)
	have := strings.TrimSuffix(stored, ".json")
	if rewrite {
		for name := range pageFiles(t, have) {
			if err := os.Remove(filepath.Join(filepath.Dir(have), name)); err != nil {
				t.Fatal(err)
			}
		}
		writePage(t, have+".md", r)
	}
	return cmp.Diff(pageFiles(t, want), pageFiles(t, have))
}

func writePage(t *testing.T, name string, r *Result) {
	t.Helper()
	out, err := OpenOutput(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Discard()
	if err := errors.Join(Markdown(out, r), out.Commit()); err != nil {
		t.Fatal(err)
	}
}

// pageFiles are the contents of a page and of the plots beside it.
func pageFiles(t *testing.T, stem string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(stem + "-*.svg")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range append(names, stem+".md") {
		b, err := os.ReadFile(name)
		if err == nil {
			files[filepath.Base(name)] = string(b)
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return files
}

// TestStalePageIsFound: a page is found that one figure was changed in.
func TestStalePageIsFound(t *testing.T) {
	name := filepath.Join(t.TempDir(), "run.json")
	b, err := os.ReadFile("testdata/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o666); err != nil {
		t.Fatal(err)
	}
	if diff := stale(t, name, true); diff != "" {
		t.Fatalf("a page just written differs: %s", diff)
	}
	if err := os.WriteFile(name, bytes.Replace(b, []byte(`"p50": 9`), []byte(`"p50": 8`), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	if stale(t, name, false) == "" {
		t.Error("a page that no longer matches is not found")
	}
	if diff := stale(t, name, true); diff != "" {
		t.Fatalf("a page written again differs: %s", diff)
	}
	plots, err := filepath.Glob(filepath.Join(filepath.Dir(name), "*.svg"))
	if err != nil || len(plots) < 5 {
		t.Fatalf("plots of the page: %v, %v", plots, err)
	}
	for _, spoil := range []func() error{
		func() error { return os.Remove(plots[0]) },
		func() error { return os.Truncate(plots[1], 100) },
		func() error { return os.WriteFile(strings.TrimSuffix(name, ".json")+"-old.svg", nil, 0o666) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if stale(t, name, false) == "" {
			t.Error("a plot that no longer matches is not found")
		}
		stale(t, name, true)
	}
}
