package results

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ipcbench/harness"
	"ipcbench/harness/env"
)

// group is the cells that do the same work under the same conditions, so that
// they may be compared, in the order of the result, with their floors.
type group struct {
	key    harness.Key // without a transport
	cells  []*Cell
	floors []*Floor
}

// groups of a result, in the order of their first cells.
func (r *Result) groups() []*group {
	var all []*group
	byKey := map[harness.Key]*group{}
	for i := range r.Cells {
		c := &r.Cells[i]
		key := c.Key
		key.Transport = ""
		g := byKey[key]
		if g == nil {
			g = &group{key: key}
			byKey[key] = g
			all = append(all, g)
		}
		g.cells = append(g.cells, c)
	}
	for _, g := range all {
		for i := range r.Floors {
			f := &r.Floors[i]
			if (f.Kind == composite || f.Kind == broker) && f.sameConditions(g.cells[0]) {
				g.floors = append(g.floors, f)
			}
		}
	}
	return all
}

// title is the work and the conditions in words.
func (g *group) title() string {
	return strings.Join([]string{plain(g.key.Workload), payload(g.key), g.conditions()}, ", ")
}

// conditions are clients, wait and placement in words.
func (g *group) conditions() string {
	clients := "1 client"
	if g.key.Clients != 1 {
		clients = fmt.Sprintf("%d clients", g.key.Clients)
	}
	return strings.Join([]string{clients, "wait " + plain(g.key.Wait), "placement " + plain(g.key.Placement)}, ", ")
}

// payload is the size, or both where they differ.
func payload(k harness.Key) string {
	if k.RequestBytes == k.ReplyBytes {
		return size(k.RequestBytes)
	}
	return size(k.RequestBytes) + " up, " + size(k.ReplyBytes) + " down"
}

// bulk is the payload from which bytes per second say more than operations.
const bulk = 16 << 10

// header names the columns of rows: throughput is operations, or payload both
// ways where that is bulk; copies are those of the request and of the reply;
// calls are system calls and ctx context switches of both processes.
func (g *group) header() []string {
	return []string{"transport", "p50 ±95% CI", "p99", "×floor", "throughput", "copies", "calls/op", "ctx/op", "CPU/op"}
}

func (g *group) isBulk() bool { return max(g.key.RequestBytes, g.key.ReplyBytes) >= bulk }

// rows are the cells and below them the floors.
func (g *group) rows() [][]string {
	var rows [][]string
	for _, c := range g.cells {
		rows = append(rows, g.row(c))
	}
	for _, f := range g.floors {
		rows = append(rows, []string{"floor: " + plain(f.Kind), secondsCI(f.Latency), optionalSeconds(f.Latency.P99),
			multiple(g.floorMultiple(f)), none, none, none, none, seconds(f.CPUNSPerOp)})
	}
	return rows
}

func (g *group) row(c *Cell) []string {
	throughput := rate(c.OperationsPerSecond, "op")
	if g.isBulk() {
		throughput = rate(c.PayloadBytesPerSecond, "B")
	}
	return []string{clip(plain(c.Name()), 16), secondsCI(c.Latency), optionalSeconds(c.Latency.P99),
		multiple(c.FloorRatio), throughput, copiesEachWay(c.Copies), count(c.SyscallsPerOp),
		count(c.ContextSwitchesPerOp), seconds(c.CPUNSPerOp)}
}

// floorMultiple is a floor as a multiple of the composite one.
func (g *group) floorMultiple(f *Floor) float64 {
	for _, base := range g.floors {
		if base.Kind == composite && base.Latency.P50 != nil && f.Latency.P50 != nil {
			return ratio(*f.Latency.P50, *base.Latency.P50)
		}
	}
	return 0
}

// otherFloors are the floors that stand in no group, with their columns' names.
func (r *Result) otherFloors() (header []string, rows [][]string) {
	inGroup := map[*Floor]bool{}
	for _, g := range r.groups() {
		for _, f := range g.floors {
			inGroup[f] = true
		}
	}
	for i := range r.Floors {
		f := &r.Floors[i]
		if inGroup[f] {
			continue
		}
		k := harness.Key{RequestBytes: f.RequestBytes, ReplyBytes: f.ReplyBytes}
		rows = append(rows, []string{plain(f.Kind), payload(k), orNone(f.Wait), orNone(f.Placement),
			secondsCI(f.Latency), optionalSeconds(f.Latency.P99)})
	}
	return []string{"floor", "bytes", "wait", "placement", "p50 ±95% CI", "p99"}, rows
}

func orNone(s string) string {
	if s == "" {
		return none
	}
	return plain(s)
}

// machine is the environment in one line, after what all rows were given that a
// program does not have unless it asks.
func (r *Result) machine() string {
	if r.Plan.HugePages {
		return "payload on huge pages · " + machine(r.Environment)
	}
	return machine(r.Environment)
}

func machine(e env.Environment) string {
	facts := []string{e.CPU.Model, fmt.Sprintf("%d CPUs", len(e.CPU.Allowed)), e.Kernel}
	if e.Virtualisation != "" {
		facts = append(facts, "virtualised by "+e.Virtualisation)
	}
	if e.Emulated {
		facts = append(facts, strings.TrimSpace("emulated "+e.Emulation))
	}
	return plain(strings.Join(append(facts, e.Go, e.Time), " · "))
}

// remarks are the warnings, errors and evidence that readers must see, in
// lines. Remarks that several cells share are said once.
func (r *Result) remarks() []string {
	var lines []string
	if r.Incomplete != "" {
		lines = append(lines, "the run is incomplete: "+r.Incomplete)
	}
	lines = append(lines, r.Warnings...)
	rows := map[string][]string{}
	var order []string
	add := func(row, text string) {
		if rows[text] == nil {
			order = append(order, text)
		}
		rows[text] = append(rows[text], row)
	}
	for _, g := range r.groups() {
		for _, c := range g.cells {
			for _, text := range c.remarks() {
				add(fmt.Sprintf("%s at %s (%s, %s)", c.Name(), payload(c.Key), c.Wait, c.Placement), text)
			}
		}
	}
	for i := range r.Floors {
		f := &r.Floors[i]
		for _, text := range f.Warnings {
			add(fmt.Sprintf("floor %s at %s (%s, %s)", f.Kind, size(f.RequestBytes), f.Wait, f.Placement), text)
		}
	}
	for _, text := range order {
		lines = append(lines, some(rows[text], 4)+": "+text)
	}
	for i := range lines {
		lines[i] = plain(lines[i])
	}
	return lines
}

func (c *Cell) remarks() []string {
	out := slices.Clone(c.Warnings)
	for _, e := range c.Errors {
		out = append(out, "error: "+e)
	}
	for _, source := range slices.Sorted(maps.Keys(c.Evidence)) {
		if f := c.Evidence[source]; f.Status == "disagrees" {
			out = append(out, fmt.Sprintf("%s disagrees with the ledger: %s", source, f.Detail))
		}
	}
	return out
}

// some names the first n of a list.
func some(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}

// skips are what was not measured, in lines. A reason that several transports share
// is said once.
func (r *Result) skips() []string {
	type cause struct{ cell, reason string }
	var order []cause
	transports := map[cause][]string{}
	for _, s := range r.Skipped {
		c := cause{s.Cell, s.Reason}
		if transports[c] == nil {
			order = append(order, c)
		}
		transports[c] = append(transports[c], s.Transport)
	}
	var lines []string
	for _, c := range order {
		what := strings.Join(transports[c], ", ")
		if c.cell != "" {
			what += " (" + c.cell + ")"
		}
		lines = append(lines, plain(what+": "+c.reason))
	}
	return lines
}
