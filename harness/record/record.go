// Package record keeps the latencies of one round in an HdrHistogram: three
// significant digits from 1 ns to 100 s, no allocation, some nanoseconds a
// value.
package record

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	lowest  = int64(time.Nanosecond)
	highest = int64(100 * time.Second)
	digits  = 3
)

// NewHistogram makes an empty histogram in nanoseconds.
func NewHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(lowest, highest, digits)
}

// Recorder records one client's operations.
type Recorder struct {
	histogram *hdrhistogram.Histogram
	// Operations recorded.
	Operations uint64
}

// New makes a recorder.
func New() *Recorder { return &Recorder{histogram: NewHistogram()} }

// Record notes an operation that took d nanoseconds. Values outside of the range are
// kept at its ends: the count stays right.
func (r *Recorder) Record(d int64) {
	r.histogram.RecordValue(max(lowest, min(d, highest)))
	r.Operations++
}

// RecordBurst notes n operations that took d nanoseconds together, each as the
// n-th part of it.
func (r *Recorder) RecordBurst(d int64, n int) {
	if n > 1 {
		d /= int64(n)
	}
	r.histogram.RecordValues(max(lowest, min(d, highest)), int64(n))
	r.Operations += uint64(n)
}

// Reset forgets everything.
func (r *Recorder) Reset() {
	r.histogram.Reset()
	r.Operations = 0
}

// Encode is the histogram in HdrHistogram's V2 compressed form, base64.
func (r *Recorder) Encode() (string, error) { return Encode(r.histogram) }

// Encode writes a histogram in the V2 compressed form, base64.
func Encode(h *hdrhistogram.Histogram) (string, error) {
	b, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return "", fmt.Errorf("encode a histogram: %w", err)
	}
	return string(b), nil
}

// Decode reads what Encode wrote.
func Decode(s string) (*hdrhistogram.Histogram, error) {
	h, err := hdrhistogram.Decode([]byte(s))
	if err != nil {
		return nil, fmt.Errorf("decode a histogram: %w", err)
	}
	return h, nil
}
