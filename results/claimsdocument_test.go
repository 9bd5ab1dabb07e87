package results

import (
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

const claimsDocument = "../docs/claims.md"

// filled is a section of the document that stored files fill, those of other
// machines beside the first: all verdicts ("overview"), or one claim.
var filled = regexp.MustCompile(`(?s)(<!-- ((?:\S+\.json )+)(\w+) -->\n).*?(<!-- end -->)`)

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
	changed := strings.Replace(text, "| supported", "| refuted", 1)
	if changed == text {
		t.Fatal("the document has no verdict")
	}
	if filledIn(t, changed) == changed {
		t.Error("a verdict that no file holds is not found")
	}
}

// openings of the text on a claim, by its verdict. A longer one stands before one
// that it begins with.
var openings = []struct {
	words   string
	verdict claims.Verdict
}{
	{"True only", claims.Conditional},
	{"True", claims.Supported},
	{"Not true", claims.Refuted},
	{"Open", claims.Inconclusive},
	{"Not tried", claims.NotTestable},
}

// spoken are verdicts in the text that people wrote: what the text on a claim opens
// with, and verdicts named beside claims, as "C2 and C3: supported".
var (
	opened = regexp.MustCompile(`(?m)^## (C\d+): .*\n\n\*\*(.*?)\*\*`)
	named  = regexp.MustCompile(`(C\d+(?:(?:, | and )C\d+)*): (supported|refuted|conditional|inconclusive|not testable)\b`)
	claim  = regexp.MustCompile(`C\d+`)
)

// misspoken are the words of a document that say another verdict than the files
// which it is filled from.
func misspoken(t *testing.T, document string) (wrong []string) {
	t.Helper()
	source := filled.FindStringSubmatch(document)
	if source == nil {
		t.Fatal("no file fills the document")
	}
	r := joinedClaims(t, strings.Fields(source[2]))
	check := func(id, words string, verdict claims.Verdict) {
		if o := r.Find(id); o == nil || o.Verdict != verdict {
			wrong = append(wrong, fmt.Sprintf("%s: %q is not the verdict of the stored claims", id, words))
		}
	}
	for _, m := range opened.FindAllStringSubmatch(document, -1) {
		check(m[1], m[2], verdictOfOpening(m[2]))
	}
	for _, m := range named.FindAllStringSubmatch(filled.ReplaceAllString(document, ""), -1) {
		for _, id := range claim.FindAllString(m[1], -1) {
			check(id, m[2], claims.Verdict(m[2]))
		}
	}
	return wrong
}

func verdictOfOpening(words string) claims.Verdict {
	for _, o := range openings {
		if strings.HasPrefix(words, o.words) {
			return o.verdict
		}
	}
	return ""
}

func TestWordsOfTheDocumentAreTheStoredVerdicts(t *testing.T) {
	b, err := os.ReadFile(claimsDocument)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, wrong := range misspoken(t, text) {
		t.Error(wrong)
	}
	if got := len(opened.FindAllString(text, -1)); got != len(claims.All()) {
		t.Errorf("%d claims open with a verdict, want %d", got, len(claims.All()))
	}
	for _, change := range [][2]string{
		{"**True.", "**True only sometimes."},
		{"**Not true.", "**True."},
		{"**True only", "**True, but only"},
		{": refuted)", ": supported)"},
		{": supported)", ": conditional)"},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Errorf("the document says nowhere %q", change[0])
		} else if len(misspoken(t, changed)) == 0 {
			t.Errorf("%q instead of %q is not found", change[1], change[0])
		}
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
		files := strings.Fields(parts[2])
		r := joinedClaims(t, files)
		var text strings.Builder
		m := &markdownReport{textReport{w: &text}}
		if parts[3] == "overview" {
			m.overview(r)
		} else {
			o := r.Find(parts[3])
			if o == nil {
				t.Fatalf("%s has no %s", parts[2], parts[3])
			}
			m.section(o, "../"+strings.TrimSuffix(files[0], ".json"))
		}
		if m.err != nil {
			t.Fatal(m.err)
		}
		return parts[1] + text.String() + parts[4]
	})
}

func joinedClaims(t *testing.T, files []string) *claims.Report {
	t.Helper()
	var all []*claims.Report
	for _, name := range files {
		r, err := ReadClaimsFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all[0].Beside(all[1:]...)
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
