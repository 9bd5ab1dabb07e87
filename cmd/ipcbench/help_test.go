package main

import (
	"testing"

	"github.com/spf13/cobra"
)

// TestHelpHasExamples: every command says by example how it is used.
func TestHelpHasExamples(t *testing.T) {
	var check func(*cobra.Command)
	check = func(c *cobra.Command) {
		if c.Runnable() && c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		if c.Runnable() && c.Short == "" {
			t.Errorf("%s does not say what it does", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check(newRoot())
}
