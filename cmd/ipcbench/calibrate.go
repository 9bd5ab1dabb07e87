package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ipcbench/harness"
	"ipcbench/results"
	"ipcbench/results/compare"
)

// calibrations is how often this build is measured against itself.
const calibrations = 5

// newCalibrationPlan is what is calibrated where the user says nothing: two
// mechanisms that every system has, and a payload of either kind.
func newCalibrationPlan() planOptions {
	return planOptions{plan: harness.PairedPlan(), transports: []string{"pipe", "unix-stream"}, sizes: []string{"64", "64K"}}
}

// calibrationFlags adds the flags of a plan, which go with --calibrate alone.
func calibrationFlags(c *cobra.Command, o *planOptions) {
	o.flags(c)
	for _, name := range planFlags {
		flag := c.Flags().Lookup(name)
		flag.Usage = "to calibrate: " + flag.Usage
	}
}

// checkCalibrationFlags reports a flag of the plan where nothing is measured.
func checkCalibrationFlags(c *cobra.Command) error {
	for _, name := range planFlags {
		if c.Flags().Changed(name) {
			return fmt.Errorf("--%s: two results are compared as they are; it goes with --calibrate", name)
		}
	}
	return nil
}

func runCalibration(c *cobra.Command, o *planOptions) error {
	if err := o.read(c); err != nil {
		return err
	}
	self, err := ownProgram()
	if err != nil {
		return err
	}
	var runs []*results.Result
	for i := range calibrations {
		p := o.plan
		p.Seed += uint64(i)
		r, err := harness.Prepare(transports(), p, o.transports)
		if err != nil {
			return err
		}
		r.Pair(self, self, nil)
		result, err := measure(c.Context(), r, c.ErrOrStderr())
		if err != nil {
			return err
		}
		runs = append(runs, result)
	}
	calibration, err := compare.Calibrate(runs)
	if err != nil {
		return err
	}
	return calibration.Write(c.OutOrStdout(), o.said(c))
}
