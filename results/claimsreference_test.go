package results

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ipcbench/harness/claims"
)

// referenceClaims are the stored claims of results/reference.
func referenceClaims(t *testing.T) (names []string) {
	t.Helper()
	all, err := filepath.Glob("reference/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(claims.Schema)) {
			names = append(names, name)
		}
	}
	return names
}

// TestClaimsReference finds a page of claims that is not what ClaimsMarkdown makes
// of the JSON beside it; -update writes the pages anew.
func TestClaimsReference(t *testing.T) {
	for _, name := range referenceClaims(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			stem := strings.TrimSuffix(name, ".json")
			want := filepath.Join(t.TempDir(), filepath.Base(stem))
			writeClaims(t, name, want+".md")
			if *update {
				for file := range pageFiles(t, stem) {
					if err := os.Remove(filepath.Join(filepath.Dir(stem), file)); err != nil {
						t.Fatal(err)
					}
				}
				writeClaims(t, name, stem+".md")
			}
			if diff := cmp.Diff(pageFiles(t, want), pageFiles(t, stem)); diff != "" {
				t.Errorf("-want +got; go test ./results -run TestClaims -update rewrites it:\n%s", diff)
			}
		})
	}
}

func writeClaims(t *testing.T, stored, page string) {
	t.Helper()
	r, err := ReadClaimsFile(stored)
	if err != nil {
		t.Fatal(err)
	}
	out, err := OpenOutput(page, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Discard()
	if err := errors.Join(ClaimsMarkdown(out, r), out.Commit()); err != nil {
		t.Fatal(err)
	}
}

// A run under load, on both CPUs, decides nothing otherwise than the idle one.
func TestClaimsUnderLoadContradictNothing(t *testing.T) {
	idle, err := ReadClaimsFile("reference/claims-epyc-2cpu-kvm.json")
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := ReadClaimsFile("reference/claims-loaded-epyc-2cpu-kvm.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, contradiction := range loaded.Contradictions(idle) {
		t.Error(contradiction)
	}
}
