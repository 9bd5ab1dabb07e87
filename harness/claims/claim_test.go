package claims

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ipcbench/harness/env"
	"ipcbench/ipc/binder/device"
)

// named is a subject that nothing is asked of but its name.
type named string

func (n named) Name() string                           { return string(n) }
func (named) Create() (string, func() error, error)    { return "", nil, errors.ErrUnsupported }
func (named) Open(place string) (device.Device, error) { return nil, errors.ErrUnsupported }
func benchOf(e env.Environment, names ...string) *Bench {
	b := &Bench{Environment: e}
	for _, n := range names {
		b.Subjects = append(b.Subjects, named(n))
	}
	return b
}

// verdictOf is a claim whose columns come out as told, or fail.
func verdictOf(timed bool, by map[string]any) Claim {
	return Define(Meta{ID: "C0", Timed: timed}, func(_ context.Context, _ *Bench, s Subject) (Verdict, error) {
		switch v := by[s.Name()].(type) {
		case error:
			return "", v
		case Verdict:
			return v, nil
		}
		return "", nil
	}, func(v Verdict) Judgement { return Judgement{Verdict: v, Text: "so"} })
}

func TestTheVerdictOfAClaimIsThatOfItsColumns(t *testing.T) {
	absent := fmt.Errorf("no device: %w", errors.ErrUnsupported)
	for _, c := range []struct {
		a, b any
		want Verdict
	}{
		{Supported, Supported, Supported},
		{Supported, absent, Supported},
		{Refuted, Inconclusive, Refuted},
		{Supported, Refuted, Conditional},
		{Inconclusive, absent, Inconclusive},
		{absent, absent, NotTestable},
	} {
		r, err := benchOf(env.Environment{}, "a", "b").Try(t.Context(), []Claim{verdictOf(false, map[string]any{"a": c.a, "b": c.b})})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Claims[0].Verdict; got != c.want {
			t.Errorf("%v and %v: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

func TestAnAbsentDeviceIsNotTestableWithTheReason(t *testing.T) {
	absent := fmt.Errorf("load the module: %w", errors.ErrUnsupported)
	r, err := benchOf(env.Environment{}, "a").Try(t.Context(), []Claim{verdictOf(false, map[string]any{"a": absent})})
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Claims[0].Columns["a"]; c.Verdict != NotTestable || !strings.Contains(c.Evidence.Text, "load the module") {
		t.Errorf("%+v", c)
	}
}

func TestTimesUnderEmulationDecideNothing(t *testing.T) {
	b := benchOf(env.Environment{Emulated: true, Virtualisation: "qemu"}, "a")
	r, err := b.Try(t.Context(), []Claim{verdictOf(true, map[string]any{"a": Refuted}), verdictOf(false, map[string]any{"a": Refuted})})
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Claims[0].Columns["a"]; c.Verdict != NotTestable || !strings.Contains(c.Evidence.Text, "so") {
		t.Errorf("times decide: %+v", c)
	}
	if r.Claims[1].Verdict != Refuted {
		t.Error("counts decide nothing")
	}
}

func TestAnInterruptKeepsWhatWasJudged(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	first := verdictOf(false, map[string]any{"a": Supported})
	second := Define(Meta{ID: "C0"}, func(context.Context, *Bench, Subject) (int, error) {
		cancel()
		return 0, nil
	}, func(int) Judgement { return Judgement{Verdict: Supported} })
	r, err := benchOf(env.Environment{}, "a").Try(ctx, []Claim{first, second})
	if err == nil || len(r.Claims) != 1 || r.Incomplete == "" {
		t.Errorf("%v, %d claims, incomplete %q", err, len(r.Claims), r.Incomplete)
	}
}

func TestAFailedExperimentEndsNoOther(t *testing.T) {
	failed := errors.New("a worker died")
	list := []Claim{verdictOf(false, map[string]any{"a": failed}), verdictOf(false, map[string]any{"a": Supported})}
	r, err := benchOf(env.Environment{}, "a").Try(t.Context(), list)
	if !errors.Is(err, failed) || !strings.Contains(r.Incomplete, "a worker died") {
		t.Errorf("%v, incomplete %q", err, r.Incomplete)
	}
	if len(r.Claims) != 2 || r.Claims[0].Verdict != Inconclusive || r.Claims[1].Verdict != Supported {
		t.Errorf("%+v", r.Claims)
	}
}
