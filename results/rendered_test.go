package results

import (
	"io"
	"strings"
	"testing"
	"unicode"
)

// checkRendered: a format writes whatever was read, and what people read on a
// terminal holds no character that does not print.
func checkRendered(t *testing.T, format string, render func(io.Writer) error) {
	t.Helper()
	var text strings.Builder
	if err := render(&text); err != nil {
		t.Errorf("%s: %v", format, err)
	}
	switch format {
	case "table", "markdown", "summary":
		if at := strings.IndexFunc(text.String(), unprintable); at >= 0 {
			t.Errorf("%s: %.20q does not print", format, text.String()[at:])
		}
	}
}

func unprintable(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }
