package claims

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/parcel"
)

var bestFit = Define(Meta{
	ID:         "C12",
	Statement:  "The driver chooses the place of a buffer in a region by the optimal algorithm: best fit.",
	Source:     "D2 part 2",
	Refutation: "A buffer that does not lie in the smallest hole that is large enough.",
	Experiment: "Holes of many sizes are made in a region by keeping some replies and freeing others, in random order; then " +
		"it is seen into which hole a reply of a random size comes. First fit and worst fit are asked where they would put it: " +
		"only requests on which they and best fit differ tell. At last a region is kept two thirds full for 1500 operations.",
}, measureFit, judgeFit)

// fitNumbers is where buffers came to lie.
type fitNumbers struct {
	// Requests that had a choice of holes, and Telling: those for which best fit,
	// first fit and worst fit would each take another one.
	Requests, Telling int
	// How many of the requests lie where each policy puts them.
	BestFit, FirstFit, WorstFit int
	// Load is the region under load, and LoadFirstFit what first fit would have
	// made of the same operations.
	Load, LoadFirstFit fragmentation
}

// fragmentation is a region's state after many operations.
type fragmentation struct {
	Operations int
	// Refused requests, although so many bytes were free in all.
	Refused int
	// Holes, their total and the largest, in bytes.
	Holes         int
	Free, Largest uint64
}

// enoughTelling requests must tell policies apart.
const enoughTelling = 50

func judgeFit(n fitNumbers) Judgement {
	text := fmt.Sprintf("%d of %d requests lie in the smallest hole that fits (first fit explains %d, worst fit %d); %d of them tell the "+
		"policies apart; after %d operations the free %d bytes are in %d holes, the largest of %d, %d requests were refused; "+
		"first fit would have %d holes, the largest of %d, and %d refused",
		n.BestFit, n.Requests, n.FirstFit, n.WorstFit, n.Telling, n.Load.Operations, n.Load.Free, n.Load.Holes, n.Load.Largest,
		n.Load.Refused, n.LoadFirstFit.Holes, n.LoadFirstFit.Largest, n.LoadFirstFit.Refused)
	switch {
	case n.BestFit < n.Requests:
		return Judgement{Verdict: Refuted, Text: text}
	case n.Telling < enoughTelling:
		return Judgement{Verdict: Inconclusive, Text: text}
	}
	return Judgement{Verdict: Supported, Text: text, Confidence: "every request, seen by the address where it arrived"}
}

const (
	fitTrials   = 20
	fitHoles    = 10
	fitRequests = 5
	fitSeed     = 12
	loadActions = 1500
)

func measureFit(_ context.Context, _ *Bench, subject Subject) (n fitNumbers, err error) {
	s, err := openSession(subject, servantProps{})
	if err != nil {
		return n, err
	}
	defer closing(s.close, &err)
	r := &keptRegion{session: s, random: rand.New(rand.NewPCG(fitSeed, 0)), kept: map[uint64]*parcel.Parcel{}}
	r.space.size = uint64(binder.DefaultRegionSize())
	for range fitTrials {
		if err := r.trial(&n); err != nil {
			return n, err
		}
	}
	return n, r.load(&n)
}

// keptRegion is this process's region with a model of what lies where.
type keptRegion struct {
	session *session
	random  *rand.Rand
	space   space
	kept    map[uint64]*parcel.Parcel // by offset
}

// receive has a buffer of size bytes come into the region, and returns its offset.
func (r *keptRegion) receive(size uint64) (offset uint64, err error) {
	reply, err := r.session.produce(int(size), 0)
	if err != nil {
		return 0, err
	}
	offset = sys.Address(reply.Bytes()) - uint64(r.session.device.mapping.Addr())
	r.kept[offset] = reply
	r.space.take(extent{offset, size})
	return offset, nil
}

func (r *keptRegion) free(offset uint64) {
	r.session.free(r.kept[offset])
	delete(r.kept, offset)
	r.space.free(offset)
}

// trial makes holes and sees where requests go.
func (r *keptRegion) trial(n *fitNumbers) error {
	var holes []uint64
	for range fitHoles {
		at, err := r.receive(8 * (8 + r.random.Uint64N(1500)))
		if err != nil {
			return err
		}
		holes = append(holes, at)
		if _, err := r.receive(64); err != nil {
			return err
		}
	}
	r.random.Shuffle(len(holes), func(i, j int) { holes[i], holes[j] = holes[j], holes[i] })
	for _, at := range holes {
		r.free(at)
	}
	for range fitRequests {
		if err := r.request(n, 8*(1+r.random.Uint64N(1200))); err != nil {
			return err
		}
	}
	for at := range r.kept {
		r.free(at)
	}
	return nil
}

// request receives one buffer and compares its place with what policies say.
func (r *keptRegion) request(n *fitNumbers, size uint64) error {
	best, _ := r.space.place(size, smaller)
	first, _ := r.space.place(size, earlier)
	worst, ok := r.space.place(size, larger)
	at, err := r.receive(size)
	if err != nil || !ok {
		return err
	}
	n.Requests++
	if best != first && best != worst && first != worst {
		n.Telling++
	}
	if best == at {
		n.BestFit++
	}
	if first == at {
		n.FirstFit++
	}
	if worst == at {
		n.WorstFit++
	}
	return nil
}

// load keeps the region about two thirds full of buffers of all sizes, and has
// first fit do the same in a model.
func (r *keptRegion) load(n *fitNumbers) error {
	rival := space{size: r.space.size}
	twin := map[uint64]uint64{} // the rival's offset of each kept buffer
	for range loadActions {
		n.Load.Operations++
		if r.space.used() > r.space.size*2/3 {
			at := r.space.taken[r.random.IntN(len(r.space.taken))].offset
			if there, ok := twin[at]; ok {
				rival.free(there)
				delete(twin, at)
			}
			r.free(at)
			continue
		}
		size := uint64(8) << r.random.UintN(13)
		size += 8 * r.random.Uint64N(size/8)
		at, err := r.receive(size)
		there, fits := rival.place(size, earlier)
		if fits {
			rival.take(extent{there, size})
		} else {
			n.LoadFirstFit.Refused++
		}
		switch {
		case errors.Is(err, binder.FailedTransaction):
			n.Load.Refused++
			if fits {
				rival.free(there)
			}
		case err != nil:
			return err
		case fits:
			twin[at] = there
		}
	}
	n.Load.measure(r.space)
	n.LoadFirstFit.Operations = n.Load.Operations
	n.LoadFirstFit.measure(rival)
	return nil
}

func (f *fragmentation) measure(s space) {
	for _, h := range s.holes() {
		f.Holes++
		f.Free += h.size
		f.Largest = max(f.Largest, h.size)
	}
}
