package claims

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/parcel"
)

var threadPool = Drawing(Define(Meta{
	ID: "C15",
	Statement: "A server's pool begins with one thread; when none is idle the driver has the server add one, up to a limit, " +
		"which by default makes 16 threads.",
	Source: "D2 part 3",
	Refutation: "More calls served at once than the limit allows, or fewer although more wait; loopers that nobody asked for; " +
		"a pool that begins with more than one.",
	Experiment: "More callers than threads call a handler that holds them, until no further one gets in: with limits of 1, 4, " +
		"15 (the default) and 31 beside the first thread, with and without a main thread that joins the pool; then 1 to 32 " +
		"callers of a default pool. 32 callers of a handler that sleeps for 1 ms draw the pool's growth.",
}, measurePool, judgePool), drawPool)

// poolNumbers is what became of the pools.
type poolNumbers struct {
	Setups []poolSetup
	// Growth of a default pool, by callers at once.
	Growth []poolGrowth
	// Course of a default pool under 32 callers.
	Course poolCourse
}

// poolSetup is a pool that more callers called than it has threads.
type poolSetup struct {
	// Max is the limit beside the first thread. Joined: the main thread did, too.
	Max    int
	Joined bool
	// Callers there were, and Peak, how many of them were served at once.
	Callers, Peak int
	// Loopers there were in the end, and Spawned, how many the driver asked for.
	Loopers, Spawned int
}

// own are the loopers that nobody asked for: the pool's first, and the main thread.
func (s poolSetup) own() int {
	if s.Joined {
		return 2
	}
	return 1
}

// expected is how many calls the documents' rule lets in at once.
func (s poolSetup) expected() int { return s.Max + s.own() }

// wrong reports a pool that serves more or fewer than the rule lets in, that the
// driver asks to grow beyond its limit, or that grows without being asked.
func (s poolSetup) wrong() bool {
	return s.Peak != s.expected() || s.Spawned != s.Max || s.Loopers != s.Spawned+s.own()
}

// poolGrowth is how many loopers a pool of the default limit has when so many
// callers hold on to it, and how many of them got in.
type poolGrowth struct{ Callers, Inside, Loopers int }

// wrong reports a pool that keeps a caller waiting that it has room for, that has
// nobody idle left although it may grow, or that grows to its limit for one.
func (g poolGrowth) wrong() bool {
	const limit = binder.DefaultMaxThreads + 1
	return g.Inside != min(g.Callers, limit) || g.Loopers < min(g.Callers+1, limit) || g.Loopers > limit ||
		g.Callers == 1 && g.Loopers == limit
}

// poolCourse is how a pool grew: times in milliseconds since the first looper.
type poolCourse struct {
	Loopers, Busy [][2]float64
	Calls, Peak   int
}

func judgePool(n poolNumbers) Judgement {
	var parts []string
	wrong, defaults := 0, 0
	joinedDefault := 0
	for _, s := range n.Setups {
		if s.wrong() {
			wrong++
		}
		switch {
		case s.Max == binder.DefaultMaxThreads && s.Joined:
			joinedDefault = s.Peak
		case s.Max == binder.DefaultMaxThreads:
			defaults = s.Peak
		}
		joined := ""
		if s.Joined {
			joined = " + main"
		}
		parts = append(parts, fmt.Sprintf("1+%d%s: %d at once, %d asked for", s.Max, joined, s.Peak, s.Spawned))
	}
	for _, g := range n.Growth {
		if g.wrong() {
			wrong++
		}
		parts = append(parts, fmt.Sprintf("%d callers: %d loopers", g.Callers, g.Loopers))
	}
	j := Judgement{Verdict: Supported, Text: strings.Join(parts, "; "),
		Confidence: "counted in the handlers and in the requests of the driver; calls are held, so no time decides"}
	switch {
	case defaults == 0:
		return Judgement{Verdict: Inconclusive, Text: fmt.Sprintf("%d pools tried, none of the default limit", len(n.Setups))}
	case wrong > 0:
		j.Verdict, j.Confidence = Refuted, ""
	case joinedDefault > defaults:
		j.Verdict = Conditional
		j.When = fmt.Sprintf("the main thread stays out of the pool: %d threads; one that joins it, which counts against no limit, makes %d",
			defaults, joinedDefault)
	}
	return j
}

// poolSetups are tried: limit, and whether the main thread joins.
var poolSetups = []poolSetup{{Max: 1}, {Max: 4}, {Max: binder.DefaultMaxThreads},
	{Max: binder.DefaultMaxThreads, Joined: true}, {Max: 31}}

// extraCallers come beside those that the pool can serve.
const extraCallers = 8

func measurePool(_ context.Context, b *Bench, subject Subject) (n poolNumbers, err error) {
	for i, setup := range poolSetups {
		b.tell(float64(i)/float64(len(poolSetups)+2), fmt.Sprintf("C15 %s: limit %d", subject.Name(), setup.Max))
		setup.Callers = setup.expected() + extraCallers
		if err := fillPool(subject, &setup); err != nil {
			return n, err
		}
		n.Setups = append(n.Setups, setup)
	}
	for _, callers := range []int{1, 2, 4, 8, 16, 32} {
		setup := poolSetup{Max: binder.DefaultMaxThreads, Callers: callers}
		if err := fillPool(subject, &setup); err != nil {
			return n, err
		}
		n.Growth = append(n.Growth, poolGrowth{callers, setup.Peak, setup.Loopers})
	}
	n.Course, err = measureCourse(subject)
	return n, err
}

// fillPool has the callers of a setup hold on to a fresh pool, and counts.
func fillPool(subject Subject, setup *poolSetup) (err error) {
	s, err := openSession(subject, servantProps{MaxThreads: setup.Max, Join: setup.Joined},
		binder.WithMaxCallers(setup.Callers))
	if err != nil {
		return err
	}
	defer closing(s.close, &err)
	callers := s.call(setup.Callers, func(*parcel.Parcel) uint32 { return codeHold })
	log, err := s.settled(min(setup.Callers, setup.expected()))
	if err != nil {
		return err
	}
	if err := s.servant.Ask(servantOrder{Release: setup.Callers}, &log); err != nil {
		return err
	}
	if err := callers(); err != nil {
		return err
	}
	_, err = await(func() (bool, error) { // loopers that were asked for just now
		log, err = s.log()
		setup.Peak, setup.Spawned, setup.Loopers = log.Peak, log.Spawned, len(log.Loopers)
		return setup.Loopers >= setup.Spawned+setup.own(), err
	})
	return err
}

// settled waits until want calls are inside, and then for as long as more get in.
func (s *session) settled(want int) (log servantLog, err error) {
	const still = 60 // looks without change
	last, looks := -1, 0
	_, err = await(func() (bool, error) {
		log, err = s.log()
		if looks++; log.Inside != last || log.Inside < want {
			last, looks = log.Inside, 0
		}
		return looks >= still, err
	})
	return log, err
}

// call has n callers call the servant once each, on goroutines of their own; the
// function that it returns waits for them.
func (s *session) call(n int, fill func(*parcel.Parcel) uint32) (wait func() error) {
	var all sync.WaitGroup
	failures := make(chan error, n)
	for range n {
		all.Go(func() {
			servant, err := s.ps.ContextObject()
			if err != nil {
				failures <- err
				return
			}
			defer servant.Close()
			var data parcel.Parcel
			code := fill(&data)
			if err := servant.Transact(code, &data, nil, 0); err != nil {
				failures <- err
			}
		})
	}
	return func() error {
		all.Wait()
		close(failures)
		return <-failures
	}
}

// The callers and calls of the drawn course.
const (
	courseCallers = 32
	courseCalls   = 20
	courseSleep   = 1000 // µs
)

// measureCourse draws a default pool under callers of a slow handler.
func measureCourse(subject Subject) (c poolCourse, err error) {
	s, err := openSession(subject, servantProps{MaxThreads: binder.DefaultMaxThreads})
	if err != nil {
		return c, err
	}
	defer closing(s.close, &err)
	var all []func() error
	for range courseCalls {
		all = append(all, s.call(courseCallers, func(p *parcel.Parcel) uint32 {
			p.WriteInt32(courseSleep)
			return codeSleep
		}))
	}
	for _, wait := range all {
		if err := wait(); err != nil {
			return c, err
		}
	}
	log, err := s.log()
	return courseOf(log), err
}

// courseOf turns a log into lines.
func courseOf(log servantLog) (c poolCourse) {
	if len(log.Loopers) == 0 {
		return c
	}
	slices.SortFunc(log.Loopers, func(a, b looperStart) int { return int(a.At - b.At) })
	start := log.Loopers[0].At
	ms := func(at int64) float64 { return float64(at-start) / 1e6 }
	for i, l := range log.Loopers {
		c.Loopers = append(c.Loopers, [2]float64{ms(l.At), float64(i + 1)})
	}
	for _, change := range log.Changes {
		c.Busy = append(c.Busy, [2]float64{ms(change.At), float64(change.Inside)})
	}
	if len(c.Busy) > 0 {
		c.Loopers = append(c.Loopers, [2]float64{c.Busy[len(c.Busy)-1][0], float64(len(log.Loopers))})
	}
	for _, served := range log.Served {
		c.Calls += served
	}
	c.Peak = log.Peak
	return c
}

func drawPool(columns []string, numbers []poolNumbers) (figures []Figure) {
	for i, n := range numbers {
		figures = append(figures, Figure{
			Title:  fmt.Sprintf("%s: the pool under %d callers of a handler that takes 1 ms", columns[i], courseCallers),
			XLabel: "ms since the first looper", YLabel: "threads", Steps: true,
			Series: []Series{{Name: "loopers", Points: n.Course.Loopers}, {Name: "serving", Points: n.Course.Busy}},
		})
	}
	return figures
}
