package compare

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"ipcbench/harness"
	"ipcbench/results"
)

// calibrated makes up paired runs of one build on a machine that drifts from run
// to run by a share and is noisy.
func calibrated(t *testing.T, rng *rand.Rand, runs int, drift, noise float64) *Calibration {
	t.Helper()
	var all []*results.Result
	for range runs {
		p50 := 10000 * math.Exp(drift*rng.NormFloat64())
		r := drawn(rng, harness.OldBuild, 24, p50, noise, "pipe")
		r.Cells = append(r.Cells, drawn(rng, harness.NewBuild, 24, p50, noise, "pipe").Cells...)
		all = append(all, r)
	}
	c, err := Calibrate(all)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCalibrateKnowsNoiseFromDrift: drift is between runs and not between the
// sides of a paired one, noise is in both.
func TestCalibrateKnowsNoiseFromDrift(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	drifting := calibrated(t, rng, 5, 0.3, 0.005)
	if drifting.Paired.Threshold("p50") > 0.02 || drifting.Apart.Threshold("p50") < 0.2 {
		t.Errorf("drift: %+v", drifting)
	}
	noisy := calibrated(t, rng, 5, 0, 0.2)
	if quiet := calibrated(t, rng, 5, 0, 0.002); noisy.Paired.Threshold("p50") < 3*quiet.Paired.Threshold("p50") {
		t.Errorf("noisy %+v, quiet %+v", noisy.Paired, quiet.Paired)
	}
}

// TestCalibratedThresholdsHold: with what was proposed, further runs of the same
// build are no false alarms, and a slow-down well above it is found.
func TestCalibratedThresholdsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 24))
	proposed := calibrated(t, rng, 5, 0.1, 0.05)
	thresholds := DefaultThresholds()
	for name := range thresholds {
		thresholds[name] = proposed.Paired.Threshold(name)
	}
	verdict := func(factor float64) Verdict {
		r := drawn(rng, harness.OldBuild, 24, 10000, 0.05, "pipe")
		r.Cells = append(r.Cells, drawn(rng, harness.NewBuild, 24, 10000*factor, 0.05, "pipe").Cells...)
		c, err := Paired(r, Options{Thresholds: thresholds})
		if err != nil {
			t.Fatal(err)
		}
		return c.Verdict
	}
	alarms, found := 0, 0
	for range 40 {
		if verdict(1) == Worse {
			alarms++
		}
		if verdict(1+4*thresholds["p50"]) == Worse {
			found++
		}
	}
	if alarms > 1 || found < 38 {
		t.Errorf("%d false alarms and %d of 40 found, thresholds %v", alarms, found, thresholds)
	}
}

// TestCalibrationIsWritten: the thresholds in the commands are what was
// proposed, as the flag takes them.
func TestCalibrationIsWritten(t *testing.T) {
	c := calibrated(t, rand.New(rand.NewPCG(25, 26)), 3, 0.1, 0.01)
	var out bytes.Buffer
	if err := c.Write(&out, "-t pipe"); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]Spread{"ipcbench run -t pipe --against OLD-BUILD --threshold ": c.Paired, "ipcbench compare --threshold ": c.Apart} {
		_, flag, found := strings.Cut(out.String(), command)
		flag, _, _ = strings.Cut(flag, "\n")
		flag, _, _ = strings.Cut(flag, " ")
		got, err := ParseThresholds(strings.Split(flag, ","))
		if !found || err != nil || len(want) != 3 {
			t.Fatalf("%s%s: %v\n%s", command, flag, err, out.String())
		}
		for metric := range want {
			if math.Abs(got[metric]-want.Threshold(metric)) > 1e-9 {
				t.Errorf("%s: %s is %g, want %g", command, metric, got[metric], want.Threshold(metric))
			}
		}
	}
	if _, err := Calibrate(nil); err == nil {
		t.Error("nothing is a calibration")
	}
}
