package results

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/perf/benchunit"
)

// none stands where there is no figure.
const none = "–"

// seconds is a time given in nanoseconds, scaled, with its unit.
func seconds(ns float64) string {
	v, unit := benchunit.Tidy(ns, "ns")
	return benchunit.Scale(v, benchunit.Decimal) + strings.TrimSuffix(unit, "ec")
}

// optionalSeconds is seconds of a figure that may be absent.
func optionalSeconds(ns *float64) string {
	if ns == nil {
		return none
	}
	return seconds(*ns)
}

// secondsCI is the p50 with the half width of its interval in per cent.
func secondsCI(l Latency) string {
	switch {
	case l.P50 == nil:
		return none
	case l.P50CI == nil:
		return seconds(*l.P50)
	}
	return fmt.Sprintf("%s ±%s", seconds(*l.P50), percent(halfWidth(l)))
}

// percent of a share, with a digit after the point only below ten.
func percent(share float64) string {
	switch p := 100 * share; {
	case math.IsNaN(p) || p > 999:
		return ">999%"
	case p < 9.95:
		return strconv.FormatFloat(p, 'f', 1, 64) + "%"
	default:
		return strconv.FormatFloat(p, 'f', 0, 64) + "%"
	}
}

// rate is a figure per second, scaled, with its unit ("op", "B").
func rate(perSecond float64, unit string) string {
	if perSecond == 0 {
		return none
	}
	return benchunit.Scale(perSecond, benchunit.ClassOf(unit)) + unit + "/s"
}

// size in bytes, in powers of 1024.
func size(n int) string {
	const prefixes = "KMG"
	p := -1
	for p+1 < len(prefixes) && n >= 1024 && n%1024 == 0 {
		n /= 1024
		p++
	}
	if p < 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%d %ciB", n, prefixes[p])
}

// count is a small figure per operation.
func count(f float64) string { return trimZeros(strconv.FormatFloat(f, 'f', 2, 64)) }

// multiple is a ratio, or none.
func multiple(f float64) string {
	if f == 0 {
		return none
	}
	return strconv.FormatFloat(f, 'f', 2, 64)
}

// copiesEachWay is the copies of the request and of the reply.
func copiesEachWay(c Copies) string {
	return optionalCount(c.Request) + "+" + optionalCount(c.Reply)
}

func optionalCount(f *float64) string {
	if f == nil {
		return none
	}
	return count(*f)
}

func trimZeros(s string) string {
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

// plain makes text from elsewhere fit for a terminal: one line, nothing but
// characters that print.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsGraphic(r):
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// clip shortens text to n characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
