package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ipcbench/harness"
)

// planOptions are the flags of every command that measures transports: what is
// measured, and how often.
type planOptions struct {
	plan       harness.Plan
	transports []string
	sizes      []string
}

// planFlags are their names.
var planFlags = []string{"transport", "size", "workload", "clients", "wait", "placement",
	"rounds", "round-time", "generations", "rate", "gap", "huge-pages", "seed"}

// flags adds the flags; what the options hold is the default.
func (o *planOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringSliceVarP(&o.transports, "transport", "t", o.transports, "names or globs")
	f.StringSliceVarP(&o.sizes, "size", "s", o.sizes, "payload bytes, K and M are powers of 1024")
	f.StringSliceVarP(&o.plan.Workloads, "workload", "w", o.plan.Workloads, "echo, small-reply, small-request, one-way")
	f.IntSliceVarP(&o.plan.Clients, "clients", "c", o.plan.Clients, "client processes, 1 to 32")
	f.StringSliceVar(&o.plan.Waits, "wait", o.plan.Waits, "block, adaptive, spin")
	f.StringSliceVar(&o.plan.Placements, "placement", o.plan.Placements, "cross (two CPUs), same (one), free")
	f.IntVar(&o.plan.Rounds, "rounds", o.plan.Rounds, "rounds a cell and generation")
	f.DurationVar(&o.plan.RoundTime, "round-time", o.plan.RoundTime, "time a round")
	f.IntVar(&o.plan.Generations, "generations", o.plan.Generations, "fresh worker processes a cell")
	f.Float64Var(&o.plan.RatePerSecond, "rate", 0, "open loop: operations a second, latency from the intended start")
	f.DurationVar(&o.plan.Gap, "gap", 0, "pause before each call")
	f.BoolVar(&o.plan.HugePages, "huge-pages", false, "payload on huge pages, for all rows alike (default: pages that a program has unless it asks)")
	f.Uint64Var(&o.plan.Seed, "seed", o.plan.Seed, "order of rounds and payload contents")
	completeList(c, "transport", transportNames)
	completeList(c, "workload", workloadNames)
	completeList(c, "wait", func() []string { return []string{"block", "adaptive", "spin"} })
	completeList(c, "placement", func() []string { return []string{harness.Cross, harness.Same, harness.Free} })
}

// read takes from the flags what they hold as text.
func (o *planOptions) read(c *cobra.Command) (err error) {
	if o.plan.Sizes, err = parseSizes(o.sizes); err != nil {
		return err
	}
	if c.Flags().Changed("rate") && o.plan.RatePerSecond <= 0 {
		return fmt.Errorf("--rate %v: an open loop needs a rate above 0", o.plan.RatePerSecond)
	}
	if c.Flags().Changed("transport") && len(o.transports) == 0 {
		return errors.New("--transport: an empty list leaves nothing to measure")
	}
	return nil
}

// said is the flags that a user would give for the same cells, for a shell.
func (o *planOptions) said(c *cobra.Command) string {
	said := []string{"-t", quoted(strings.Join(o.transports, ",")), "-s", quoted(strings.Join(o.sizes, ","))}
	c.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(planFlags, f.Name) || slices.Contains([]string{"transport", "size", "seed"}, f.Name) {
			return
		}
		value := f.Value.String()
		if f.NoOptDefVal != "" {
			said = append(said, "--"+f.Name+"="+value)
			return
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(list.GetSlice(), ",")
		}
		said = append(said, "--"+f.Name, quoted(value))
	})
	return strings.Join(said, " ")
}

// quoted protects globs from the shell.
func quoted(s string) string {
	if strings.ContainsAny(s, "*?[]") {
		return "'" + s + "'"
	}
	return s
}
