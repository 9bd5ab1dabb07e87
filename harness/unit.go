package harness

import (
	"github.com/HdrHistogram/hdrhistogram-go"

	"ipcbench/harness/record"
	"ipcbench/harness/workload"
	"ipcbench/ipc"
)

// unit is what takes turns in a run: a cell or a floor.
type unit interface {
	// conditions names the unit's worker processes.
	conditions() channel
	// payload is the largest request and reply.
	payload() (request, reply int)
	// session is one timed round.
	session(Plan) session
	// keep takes a round's outcome.
	keep(generation int, r Round, h *hdrhistogram.Histogram)
}

// cellUnit is a cell.
type cellUnit struct {
	record   CellRecord
	channel  channel
	workload workload.Workload
	// injection of a self-test.
	injection Injection
}

func (c *cellUnit) conditions() channel           { return c.channel }
func (c *cellUnit) payload() (request, reply int) { return c.record.RequestBytes, c.record.ReplyBytes }

func (c *cellUnit) session(p Plan) session {
	return session{
		Mode: timedMode, OneWay: c.workload.OneWay,
		Request: c.record.RequestBytes, Reply: c.record.ReplyBytes,
		WarmUp: p.warmUp(), Time: p.RoundTime,
		Rate: p.RatePerSecond / float64(c.channel.clients), Gap: p.Gap, Injection: c.injection,
	}
}

func (c *cellUnit) keep(generation int, r Round, h *hdrhistogram.Histogram) {
	c.record.Latency = merge(c.record.Latency, h)
	c.record.Generations = addRound(c.record.Generations, generation, r)
}

// floorUnit is a floor.
type floorUnit struct {
	record  FloorRecord
	channel channel
	bare    bool
}

func (f *floorUnit) conditions() channel           { return f.channel }
func (f *floorUnit) payload() (request, reply int) { return f.record.RequestBytes, f.record.ReplyBytes }

// session paces a floor as the cells that are compared with it, unless it is
// bare.
func (f *floorUnit) session(p Plan) session {
	s := session{Mode: timedMode, Request: f.record.RequestBytes, Reply: f.record.ReplyBytes,
		WarmUp: p.warmUp(), Time: p.RoundTime, Rate: p.RatePerSecond, Gap: p.Gap}
	if f.bare {
		s.Mode, s.Rate, s.Gap = bareMode, 0, 0
	}
	return s
}

func (f *floorUnit) keep(generation int, r Round, h *hdrhistogram.Histogram) {
	f.record.Latency = merge(f.record.Latency, h)
	f.record.Generations = addRound(f.record.Generations, generation, r)
}

func merge(into, from *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	if into == nil {
		into = record.NewHistogram()
	}
	into.Merge(from)
	return into
}

func addRound(generations [][]Round, generation int, r Round) [][]Round {
	for len(generations) <= generation {
		generations = append(generations, nil)
	}
	generations[generation] = append(generations[generation], r)
	return generations
}

// floorUnits are the floors that a plan's cells can be read against.
func floorUnits(p Plan, cells []*cellUnit) (units []*floorUnit) {
	seen := map[FloorKey]bool{}
	add := func(kind string, request, reply int, wait ipc.Wait, placement string, bare bool) {
		key := FloorKey{kind, request, reply, wait.String(), placement}
		if seen[key] || (wait == ipc.Spin && placement == Same) {
			return
		}
		seen[key] = true
		transport := kind
		if kind == "futex" || kind == "cacheline" {
			transport = "composite"
		}
		units = append(units, &floorUnit{
			record:  FloorRecord{FloorKey: key},
			channel: channel{transport: floorPrefix + transport, clients: 1, wait: wait, placement: placement},
			bare:    bare,
		})
	}
	for _, c := range cells {
		k, wait, at := c.record.Key, c.channel.wait, c.channel.placement
		if !c.workload.OneWay {
			add("composite", k.RequestBytes, k.ReplyBytes, wait, at, false)
			if wait != ipc.Spin || brokerHasCPU(at) {
				add("broker", k.RequestBytes, k.ReplyBytes, wait, at, false)
			}
		}
		add("memcpy", max(k.RequestBytes, k.ReplyBytes), max(k.RequestBytes, k.ReplyBytes), ipc.Block, at, true)
		add("futex", 0, 0, ipc.Block, at, true)
		add("cacheline", 0, 0, ipc.Spin, at, true)
	}
	return units
}

// brokerHasCPU: a broker that spins on the CPU of the one it wakes measures
// time slices.
func brokerHasCPU(placement string) bool {
	where, err := place(placement, allowedCPUs())
	if err != nil || placement == Free {
		return len(allowedCPUs()) > 2
	}
	return where.broker[0] != where.server[0] && where.broker[0] != where.client[0]
}
