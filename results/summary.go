package results

import (
	"io"
	"slices"

	"ipcbench/harness"
)

// Summary writes one Markdown table for all sizes of a workload under the same
// conditions: a row a transport, its p50 and multiple of the floor a size, the
// copies at the largest size and the system calls at the smallest.
func Summary(w io.Writer, r *Result) error {
	m := &markdownReport{textReport{w: w}}
	for i, s := range r.summaries() {
		if i > 0 {
			m.line("")
		}
		if len(r.summaries()) > 1 {
			m.line(escape(s.title()))
			m.line("")
		}
		m.table(s.header(), s.rows())
	}
	return m.err
}

// summary is the cells of one workload under the same conditions.
type summary struct {
	key   harness.Key // without a transport and sizes
	sizes []harness.Key
	names []string
	cells map[string]map[harness.Key]*Cell // by name, then by size
	floor map[harness.Key]*Floor
}

func (r *Result) summaries() []*summary {
	var all []*summary
	byKey := map[harness.Key]*summary{}
	for _, g := range r.groups() {
		size := harness.Key{RequestBytes: g.key.RequestBytes, ReplyBytes: g.key.ReplyBytes}
		key := g.key
		key.RequestBytes, key.ReplyBytes = 0, 0
		s := byKey[key]
		if s == nil {
			s = &summary{key: key, cells: map[string]map[harness.Key]*Cell{}, floor: map[harness.Key]*Floor{}}
			byKey[key] = s
			all = append(all, s)
		}
		s.add(size, g)
	}
	return all
}

func (s *summary) add(size harness.Key, g *group) {
	s.sizes = append(s.sizes, size)
	for _, f := range g.floors {
		if f.Kind == composite {
			s.floor[size] = f
		}
	}
	for _, c := range g.cells {
		name := c.Name()
		if !slices.Contains(s.names, name) {
			s.names = append(s.names, name)
			s.cells[name] = map[harness.Key]*Cell{}
		}
		s.cells[name][size] = c
	}
}

func (s *summary) title() string {
	g := group{key: s.key}
	return plain(s.key.Workload) + ", " + g.conditions()
}

func (s *summary) header() []string {
	header := []string{"transport"}
	for _, size := range s.sizes {
		header = append(header, payload(size))
	}
	return append(header, "copies", "calls/op")
}

func (s *summary) rows() (rows [][]string) {
	first, last := s.sizes[0], s.sizes[len(s.sizes)-1]
	for _, name := range s.names {
		row := []string{plain(name)}
		for _, size := range s.sizes {
			row = append(row, medianAndMultiple(s.cells[name][size]))
		}
		copies, calls := none, none
		if c := s.cells[name][last]; c != nil {
			copies = copiesEachWay(c.Copies)
		}
		if c := s.cells[name][first]; c != nil {
			calls = count(c.SyscallsPerOp)
		}
		rows = append(rows, append(row, copies, calls))
	}
	floor := []string{"floor"}
	for _, size := range s.sizes {
		if f := s.floor[size]; f != nil {
			floor = append(floor, optionalSeconds(f.Latency.P50))
		} else {
			floor = append(floor, none)
		}
	}
	return append(rows, append(floor, none, none))
}

// medianAndMultiple is a cell's p50, and its multiple of the floor in brackets.
func medianAndMultiple(c *Cell) string {
	switch {
	case c == nil:
		return none
	case c.FloorRatio == 0:
		return optionalSeconds(c.Latency.P50)
	}
	return optionalSeconds(c.Latency.P50) + " (" + multiple(c.FloorRatio) + ")"
}
