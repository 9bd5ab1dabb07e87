package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// format is the layout of a tracepoint's records, as its format file in tracefs
// gives it.
type format struct {
	id     uint16
	fields map[string]field
}

// field is where a record keeps one of its fields, in bytes.
type field struct{ offset, size int }

// maxRecord bounds what a raw sample can hold: its size is 16 bits wide.
const maxRecord = 1 << 16

var (
	idLine    = regexp.MustCompile(`(?m)^ID:\s*(\d+)\s*$`)
	fieldLine = regexp.MustCompile(`(?m)^\s*field:[^;\n]*?(\w+)(?:\[\w*\])?;\s*offset:(\d+);\s*size:(\d+);`)
)

var errFormat = errors.New("not a tracepoint format")

func parseFormat(text []byte) (format, error) {
	id := idLine.FindSubmatch(text)
	if id == nil {
		return format{}, fmt.Errorf("%w: no ID", errFormat)
	}
	n, err := strconv.ParseUint(string(id[1]), 10, 16)
	if err != nil {
		return format{}, fmt.Errorf("%w: ID: %w", errFormat, err)
	}
	f := format{id: uint16(n), fields: make(map[string]field)}
	for _, m := range fieldLine.FindAllSubmatch(text, -1) {
		at, err := parseField(m[2], m[3])
		if err != nil {
			return format{}, fmt.Errorf("%w: field %s: %w", errFormat, m[1], err)
		}
		f.fields[string(m[1])] = at
	}
	return f, nil
}

func parseField(offset, size []byte) (field, error) {
	o, err := strconv.ParseUint(string(offset), 10, 16)
	if err != nil {
		return field{}, err
	}
	s, err := strconv.ParseUint(string(size), 10, 16)
	if err != nil {
		return field{}, err
	}
	if o+s > maxRecord {
		return field{}, fmt.Errorf("ends at byte %d of a record", o+s)
	}
	return field{int(o), int(s)}, nil
}

// word is the i-th 8-byte word of a field; ok is false where the record or the
// field is too short to have it.
func (f format) word(record []byte, name string, i int) (value int64, ok bool) {
	at, known := f.fields[name]
	if !known || (i+1)*8 > at.size || at.offset+(i+1)*8 > len(record) {
		return 0, false
	}
	return int64(binary.NativeEndian.Uint64(record[at.offset+i*8:])), true
}
