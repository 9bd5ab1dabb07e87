package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ipcbench/results"
	"ipcbench/results/compare"
)

// gateOptions are the flags of every command that compares.
type gateOptions struct {
	thresholds   []string
	allowEnvDiff bool
}

func (o *gateOptions) flags(c *cobra.Command) {
	c.Flags().StringSliceVar(&o.thresholds, "threshold", nil,
		"least change that counts, of all metrics (5%) or one (p99=10%)")
}

func (o *gateOptions) options() (compare.Options, error) {
	thresholds, err := compare.ParseThresholds(o.thresholds)
	return compare.Options{Thresholds: thresholds, AllowEnvDiff: o.allowEnvDiff}, err
}

// errWorse is the answer no of a gate.
var errWorse = fmt.Errorf("%w: something is worse", errNo)

func newCompare() *cobra.Command {
	var gate gateOptions
	var format, output string
	var calibrate bool
	plan := newCalibrationPlan()
	c := &cobra.Command{
		Use:   "compare OLD NEW | compare PAIRED | compare --calibrate",
		Short: "Say whether a new result is worse than an old one",
		Long: "Compare judges each cell of two stored results, or of one that ipcbench run --against has stored.\n" +
			"Go benchmark text is read as well. Exit status: 0 nothing is worse; 1 something is; 2 the two\n" +
			"cannot be compared. With --calibrate it measures this build against itself, for about a minute,\n" +
			"and proposes thresholds for this machine: give it the cells that are to be compared.",
		Example: "  ipcbench compare old.json new.json\n" +
			"  ipcbench compare --threshold 5% --threshold p99=25% --format markdown old.json new.json\n" +
			"  ipcbench compare --calibrate\n" +
			"  ipcbench compare --calibrate -t pipe,shm -s 64,4K",
		Args: func(_ *cobra.Command, files []string) error { return compareArguments(files, calibrate) },
		RunE: func(c *cobra.Command, files []string) error {
			if calibrate {
				return runCalibration(c, &plan)
			}
			if err := checkCalibrationFlags(c); err != nil {
				return err
			}
			f, err := compare.LookupFormat(format)
			if err != nil {
				return err
			}
			o, err := gate.options()
			if err != nil {
				return err
			}
			comparison, err := compareFiles(files, o)
			if err != nil {
				return err
			}
			out, err := results.OpenOutput(output, c.OutOrStdout())
			if err != nil {
				return err
			}
			defer out.Discard()
			return writeComparison(out, comparison, f)
		},
	}
	gate.flags(c)
	calibrationFlags(c, &plan)
	c.Flags().BoolVar(&gate.allowEnvDiff, "allow-env-diff", false, "compare although machine or plan differ")
	c.Flags().BoolVar(&calibrate, "calibrate", false, "measure how much this machine differs from itself")
	c.Flags().StringVar(&format, "format", compare.Formats[0].Name, "one of "+compare.FormatNames())
	c.Flags().StringVarP(&output, "output", "o", "", "file to write to, whole or not at all (default standard output)")
	for _, flag := range []string{"threshold", "allow-env-diff", "format", "output"} {
		c.MarkFlagsMutuallyExclusive("calibrate", flag)
	}
	completeList(c, "format", comparisonFormats)
	return c
}

// comparisonFormats are names with what they are, for completion.
func comparisonFormats() (names []string) {
	for _, f := range compare.Formats {
		names = append(names, f.Name+"\t"+f.Summary)
	}
	return names
}

func compareArguments(files []string, calibrate bool) error {
	switch {
	case calibrate && len(files) > 0:
		return errors.New("compare --calibrate takes no files")
	case !calibrate && len(files) != 1 && len(files) != 2:
		return fmt.Errorf("compare takes an old and a new result, or a paired one, not %d files", len(files))
	}
	return nil
}

func compareFiles(files []string, o compare.Options) (*compare.Comparison, error) {
	if len(files) == 1 {
		r, err := results.ReadFile(files[0])
		if err != nil {
			return nil, err
		}
		return compare.Paired(r, o)
	}
	old, err := compare.Load(files[0])
	if err != nil {
		return nil, err
	}
	young, err := compare.Load(files[1])
	if err != nil {
		return nil, err
	}
	return compare.Compare(old, young, o)
}

// writeComparison writes and gives the answer.
func writeComparison(out *results.Output, c *compare.Comparison, f compare.Format) error {
	if err := errors.Join(f.Render(out, c), out.Commit()); err != nil {
		return err
	}
	if c.Verdict == compare.Worse {
		return errWorse
	}
	return nil
}
