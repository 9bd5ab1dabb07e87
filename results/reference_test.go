package results

import (
	"bytes"
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

// stale is how the page beside a stored result differs from what it should be.
func stale(t *testing.T, stored string, rewrite bool) string {
	t.Helper()
	r, err := ReadFile(stored)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := Markdown(&want, r); err != nil {
		t.Fatal(err)
	}
	page := strings.TrimSuffix(stored, ".json") + ".md"
	if rewrite {
		if err := os.WriteFile(page, want.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return cmp.Diff(want.String(), string(have))
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
}
