package results

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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

const claimsDocument = "../docs/claims.md"

// filled is a section of the document that a stored file fills: all verdicts
// ("overview"), or one claim.
var filled = regexp.MustCompile(`(?s)(<!-- (\S+\.json) (\w+) -->\n).*?(<!-- end -->)`)

// TestClaimsDocument finds figures in docs/claims.md that are not those of the
// stored claims which it names; -update writes them anew and leaves the text
// around them.
func TestClaimsDocument(t *testing.T) {
	have, err := os.ReadFile(claimsDocument)
	if err != nil {
		t.Fatal(err)
	}
	want := filledIn(t, string(have))
	if *update {
		if err := os.WriteFile(claimsDocument, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("-want +got; go test ./results -run TestClaims -update rewrites it:\n%s", diff)
	}
}

func TestChangedFigureOfTheDocumentIsFound(t *testing.T) {
	b, err := os.ReadFile(claimsDocument)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	changed := strings.Replace(text, "supported", "refuted", 1)
	if changed == text {
		t.Fatal("the document has no verdict")
	}
	if filledIn(t, changed) == changed {
		t.Error("a verdict that no file holds is not found")
	}
}

func TestDocumentHasEveryClaim(t *testing.T) {
	b, err := os.ReadFile(claimsDocument)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims.All() {
		if !strings.Contains(string(b), ".json "+c.ID+" -->\n") {
			t.Errorf("no section of %s", c.ID)
		}
		if !strings.Contains(string(b), "ipcbench claims --only "+c.ID+"`") {
			t.Errorf("no command that repeats %s", c.ID)
		}
	}
}

func filledIn(t *testing.T, document string) string {
	t.Helper()
	return filled.ReplaceAllStringFunc(document, func(section string) string {
		parts := filled.FindStringSubmatch(section)
		r, err := ReadClaimsFile(filepath.Join("..", parts[2]))
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		m := &markdownReport{textReport{w: &text}}
		if parts[3] == "overview" {
			m.line(escape(machine(r.Environment)))
			m.line("")
			m.table(claimsOverview(r))
		} else {
			o := r.Find(parts[3])
			if o == nil {
				t.Fatalf("%s has no %s", parts[2], parts[3])
			}
			m.section(o, "../"+strings.TrimSuffix(parts[2], ".json"))
		}
		if m.err != nil {
			t.Fatal(m.err)
		}
		return parts[1] + text.String() + parts[4]
	})
}

// section is a claim in the document, with the pictures that stand beside the
// page of its file.
func (m *markdownReport) section(o *claims.Outcome, stem string) {
	m.line(fmt.Sprintf("**Verdict: %s.**", o.Verdict))
	m.line("")
	m.columns(o)
	for _, d := range claimDrawings(o) {
		m.line("")
		m.line("![" + escape(d.Title) + "](" + (&url.URL{Path: stem + "-" + d.slug + ".svg"}).EscapedPath() + ")")
	}
}
