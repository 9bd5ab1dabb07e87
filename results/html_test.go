package results

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ipcbench/harness/claims"
)

func page(t *testing.T, r *Result) string {
	t.Helper()
	var out bytes.Buffer
	if err := HTML(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestHTMLLoadsNothing(t *testing.T) {
	text := page(t, sample())
	for _, s := range []string{"http:", "https:", "src=", "<link", "@import", "url("} {
		if strings.Contains(text, s) {
			t.Errorf("the page has %q", s)
		}
	}
}

func TestHTMLEscapes(t *testing.T) {
	const hostile = `"><script>alert(1)</script><img onerror='x'>`
	r := sample()
	for i := range r.Cells {
		r.Cells[i].Transport += hostile
		r.Cells[i].Variant = hostile
		r.Cells[i].Wait, r.Cells[i].Placement, r.Cells[i].Workload = hostile, hostile, hostile
		r.Cells[i].Warnings = []string{hostile}
	}
	r.Skipped[0].Reason, r.Incomplete, r.Environment.CPU.Model = hostile, hostile, hostile
	c := claimsSample()
	o := &c.Claims[0]
	o.ID, o.Statement, o.Source, o.Experiment, o.Refutation, o.When, c.Incomplete = hostile, hostile, hostile, hostile, hostile, hostile, hostile
	o.Order, o.Columns = []string{hostile}, map[string]claims.Column{hostile: {When: hostile, Evidence: claims.Evidence{Text: hostile}}}
	o.Figures = []claims.Figure{{Title: hostile, XLabel: hostile, YLabel: hostile, Series: []claims.Series{{Name: hostile, Points: [][2]float64{{1, 2}}}}},
		{Categories: []string{hostile}, Series: []claims.Series{{Name: hostile, Points: [][2]float64{{0, 2}, {-1, 1}, {1e300, 1}}}}}}
	var out bytes.Buffer
	if err := Page(&out, r, c); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if n := strings.Count(text, "<script>"); n != 1 {
		t.Errorf("%d scripts, one of which is the page's own", n)
	}
	if strings.Contains(text, "<img") {
		t.Error("the page has an element that a name brought along")
	}
}

// TestHTMLFiltersChoose: a filter with nothing to choose from is not there.
func TestHTMLFiltersChoose(t *testing.T) {
	text := page(t, sample())
	for kind, want := range map[string]bool{"transport": true, "size": true, "wait": false} {
		if strings.Contains(text, `data-filter="`+kind+`"`) != want {
			t.Errorf("a filter by %s: want %v", kind, want)
		}
	}
}

// browser finds a headless browser, or skips.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless_shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium is installed")
	return ""
}

// dump opens a page and returns the document as it stands after its script ran.
func dump(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "report.html")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, browser(t), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--virtual-time-budget=2000", "--dump-dom", "file://"+file)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %v", c, err)
	}
	return string(out)
}

// TestHTMLInBrowser unchecks a transport as a reader would, and looks at the
// document afterwards.
func TestHTMLInBrowser(t *testing.T) {
	if os.Getenv("IPCBENCH_LONG") == "" {
		t.Skip("a browser takes seconds to start: IPCBENCH_LONG is not set")
	}
	const act = `<script>
var problems = [];
function visible(name) {
  return Array.from(document.querySelectorAll('[data-transport="' + name + '"], [data-name="' + name + '"]'))
    .filter(function (e) { return getComputedStyle(e).display !== 'none'; }).length;
}
if (document.documentElement.scrollWidth > innerWidth) problems.push('the page scrolls sideways');
if (visible('pipe') === 0) problems.push('pipe is not shown');
var box = document.querySelector('input[value="pipe"]');
if (!box) problems.push('no filter for pipe'); else box.click();
if (visible('pipe') !== 0) problems.push('pipe is shown though unchecked');
if (visible('shm') === 0) problems.push('shm went away with pipe');
var toggle = document.querySelector('[data-toggle]');
box.click(); toggle.click();
if (visible('shm') !== 0) problems.push('shm is shown though all were switched off');
toggle.click();
if (visible('shm') === 0 || visible('pipe') === 0) problems.push('not all are back');
function shown(selector) { return getComputedStyle(document.querySelector(selector)).display !== 'none'; }
document.querySelector('input[data-filter="size"][value="64"]').click();
if (shown('section[data-size="64"]') || !shown('section[data-size="65536"]')) problems.push('the filter by payload');
document.querySelector('input[data-filter="wait"][value="block"]').click();
if (shown('section[data-wait="block"][data-size="65536"]') || !shown('section[data-wait="spin"][data-size="65536"]')) problems.push('the filter by wait');
function faint(name) { return document.querySelector('.series[data-name="' + name + '"]').classList.contains('faint'); }
var entry = document.querySelector('.legend li[data-transport="pipe"]');
entry.dispatchEvent(new PointerEvent('pointerenter'));
if (faint('pipe') || !faint('shm')) problems.push('pointing at the legend');
entry.dispatchEvent(new PointerEvent('pointerleave'));
if (faint('shm')) problems.push('a line stays faint');
document.querySelectorAll('input').forEach(function (box) { if (!box.checked) box.click(); });
document.documentElement.style.width = '390px';
if (document.body.scrollWidth > 390) problems.push('a phone scrolls the page sideways');
Array.from(document.styleSheets[0].cssRules).forEach(function (rule) {
  if (rule.media && rule.media.mediaText === 'print') rule.media.mediaText = 'all';
});
document.documentElement.style.width = '680px'; // between the margins of A4
if (shown('#filters')) problems.push('the filters are printed');
if (shown('details')) problems.push('a closed table leaves its summary on paper');
document.querySelectorAll('.scroll').forEach(function (part) {
  if (part.scrollWidth > part.clientWidth) problems.push('paper cuts ' + part.textContent.trim().slice(0, 20));
});
document.title = 'problems: ' + problems.join(', ');
</script></body>`
	r := sample()
	for _, c := range r.Cells {
		c.Wait = "spin"
		r.Cells = append(r.Cells, c)
	}
	text := dump(t, strings.Replace(page(t, r), "</body>", act, 1))
	if !strings.Contains(text, "<title>problems: </title>") {
		_, after, _ := strings.Cut(text, "<title>")
		title, _, _ := strings.Cut(after, "</title>")
		t.Error(title)
	}
}
