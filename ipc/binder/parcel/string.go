package parcel

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

func isNull(err error) bool { return errors.Is(err, ErrNull) }

// WriteString16 appends s as a String16: its length in UTF-16 units, the units,
// a zero unit, padding. Bytes that are no UTF-8 become U+FFFD.
func (p *Parcel) WriteString16(s string) {
	units := 0
	for _, r := range s {
		units += utf16.RuneLen(r)
	}
	p.WriteInt32(int32(units))
	b := p.grow(pad(2 * (units + 1)))
	at := 0
	for _, r := range s {
		at += putRune(b[at:], r)
	}
}

func putRune(b []byte, r rune) int {
	if utf16.RuneLen(r) == 1 {
		order.PutUint16(b, uint16(r))
		return 2
	}
	high, low := utf16.EncodeRune(r)
	order.PutUint16(b, uint16(high))
	order.PutUint16(b[2:], uint16(low))
	return 4
}

// WriteNullString16 appends a null String16.
func (p *Parcel) WriteNullString16() { p.WriteInt32(nullLength) }

// ReadString16 reads a String16. Lone surrogates become U+FFFD. A null string
// wraps ErrNull and is consumed.
func (p *Parcel) ReadString16() (string, error) {
	units, err := p.readUnits()
	if err != nil {
		return "", fmt.Errorf("String16: %w", err)
	}
	var out strings.Builder
	out.Grow(len(units) / 2)
	for len(units) > 0 {
		r := rune(order.Uint16(units))
		units = units[2:]
		if utf16.IsSurrogate(r) {
			r, units = surrogates(r, units)
		}
		out.WriteRune(r)
	}
	return out.String(), nil
}

// readUnits reads a String16 in place, without its terminating zero.
func (p *Parcel) readUnits() ([]byte, error) {
	n, err := p.ReadCount(2)
	if err != nil {
		return nil, err
	}
	b, err := p.next(2 * (n + 1))
	if err != nil {
		return nil, err
	}
	if order.Uint16(b[2*n:]) != 0 {
		return nil, fmt.Errorf("%w: no zero after %d units", ErrInvalid, n)
	}
	return b[:2*n], nil
}

// surrogates joins first with the unit after it, if the two are a pair.
func surrogates(first rune, rest []byte) (rune, []byte) {
	if len(rest) < 2 {
		return utf8.RuneError, rest
	}
	r := utf16.DecodeRune(first, rune(order.Uint16(rest)))
	if r == utf8.RuneError {
		return r, rest
	}
	return r, rest[2:]
}

// equalString16 reads a String16 and compares it with s, without making a
// string of it.
func (p *Parcel) equalString16(s string) (bool, error) {
	units, err := p.readUnits()
	if err != nil {
		return false, fmt.Errorf("String16: %w", err)
	}
	var unit [4]byte
	for _, r := range s {
		n := putRune(unit[:], r)
		if len(units) < n || string(units[:n]) != string(unit[:n]) {
			return false, nil
		}
		units = units[n:]
	}
	return len(units) == 0, nil
}

// WriteString8 appends s as a String8: its length in bytes, the bytes, a zero,
// padding.
func (p *Parcel) WriteString8(s string) {
	p.WriteInt32(int32(len(s)))
	copy(p.grow(pad(len(s)+1)), s)
}

// ReadString8 reads a String8. A null string wraps ErrNull and is consumed.
func (p *Parcel) ReadString8() (string, error) {
	n, err := p.ReadCount(1)
	if err != nil {
		return "", fmt.Errorf("String8: %w", err)
	}
	b, err := p.next(n + 1)
	if err != nil {
		return "", fmt.Errorf("String8: %w", err)
	}
	if b[n] != 0 {
		return "", fmt.Errorf("String8: %w: no zero after %d bytes", ErrInvalid, n)
	}
	return string(b[:n]), nil
}

// WriteString16Array appends the length and the strings; nil is written as
// null.
func (p *Parcel) WriteString16Array(v []string) {
	if v == nil {
		p.WriteInt32(nullLength)
		return
	}
	p.WriteInt32(int32(len(v)))
	for _, s := range v {
		p.WriteString16(s)
	}
}

// ReadString16Array reads an array of strings, none of them null. A null array
// is nil.
func (p *Parcel) ReadString16Array() ([]string, error) {
	return readArray(p, 4, p.ReadString16)
}
