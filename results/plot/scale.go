package plot

import "math"

// scale takes the values of an axis to places between 0 and 1.
type scale struct {
	log       bool
	low, high float64
	// values that points have.
	values []float64
}

func newScale(log bool) *scale { return &scale{log: log, low: math.Inf(1), high: math.Inf(-1)} }

// largest is the figure up to which differences and ratios of two stay finite;
// its inverse the smallest that a logarithmic axis takes.
const largest = 1e100

// has reports whether a value can stand on the axis.
func (s *scale) has(v float64) bool {
	return math.Abs(v) <= largest && (v >= 1/largest || !s.log)
}

// covers reports whether a value lies within the ends of the axis.
func (s *scale) covers(v float64) bool { return v >= s.low && v <= s.high }

func (s *scale) add(v float64) {
	s.values = append(s.values, v)
	s.include(v)
}

func (s *scale) include(v float64) { s.low, s.high = min(s.low, v), max(s.high, v) }

func (s *scale) empty() bool { return s.low > s.high }

// widen makes the ends round, so that lines do not run along the frame.
func (s *scale) widen() {
	const room = 0.04
	if s.log {
		span := math.Log(s.high/s.low) + 0.1
		s.low, s.high = s.low*math.Exp(-room*span), s.high*math.Exp(room*span)
		return
	}
	span := s.high - s.low
	if s.low < 0 {
		s.low -= room * span
	}
	s.high += room * span
}

// position of a value between the ends of the axis, 0 to 1.
func (s *scale) position(v float64) float64 {
	switch {
	case s.high <= s.low:
		return 0.5
	case s.log:
		return math.Log(v/s.low) / math.Log(s.high/s.low)
	}
	return (v - s.low) / (s.high - s.low)
}

// maxTicks bounds the marks of an axis.
const maxTicks = 7

// ticks are round values between the ends of the axis.
func (s *scale) ticks() []float64 {
	if s.high <= s.low {
		return []float64{s.low}
	}
	if s.log {
		if ticks := s.logTicks(); len(ticks) > 1 {
			return ticks
		}
	}
	return s.linearTicks()
}

// linearTicks are multiples of 1, 2 or 5 times a power of ten.
func (s *scale) linearTicks() (ticks []float64) {
	power := math.Pow(10, math.Floor(math.Log10((s.high-s.low)/maxTicks)))
	step := power
	for _, factor := range []float64{2, 5, 10} {
		if (s.high-s.low)/step < maxTicks {
			break
		}
		step = factor * power
	}
	for n := math.Ceil(s.low / step); n*step <= s.high && len(ticks) <= maxTicks; n++ {
		ticks = append(ticks, n*step)
	}
	return ticks
}

// logTicks are as many of 1, 2 and 5 in each decade as there is room for, or
// powers of ten that lie some decades apart.
func (s *scale) logTicks() (ticks []float64) {
	first, last := math.Floor(math.Log10(s.low)), math.Ceil(math.Log10(s.high))
	for _, digits := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		if ticks = s.decades(digits, first, last, 1); len(ticks) <= maxTicks {
			return ticks
		}
	}
	return s.decades([]float64{1}, first, last, math.Ceil((last-first)/maxTicks))
}

func (s *scale) decades(digits []float64, first, last, step float64) (ticks []float64) {
	for e := first; e <= last; e += step {
		for _, digit := range digits {
			if v := digit * math.Pow(10, e); s.covers(v) {
				ticks = append(ticks, v)
			}
		}
	}
	return ticks
}
