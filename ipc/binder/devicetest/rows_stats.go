package devicetest

import (
	"fmt"
	"strings"

	"ipcbench/ipc/binder/abi"
)

// statistics reads the counts of all commands and returns, and how many
// objects of each kind there ever were, from the text of binder/stats.
func statistics(x *test) map[string]int {
	text, err := x.backend.Stats(x.node)
	x.check(err)
	counts := map[string]int{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "proc ") {
			break // from here on by process
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		var active, n int
		if _, err := fmt.Sscanf(value, "active %d total %d", &active, &n); err != nil {
			fmt.Sscanf(value, "%d", &n)
		}
		counts[name] = n
	}
	return counts
}

func statisticsCount(x *test) {
	if x.backend.Stats == nil {
		x.Skip("no statistics here: neither binderfs mounted with stats=global nor debugfs")
	}
	m, c := x.manager(), x.join()
	before := statistics(x)
	calling := c.main.call(message{})
	m.main.reply(m.main.receive(), message{})
	c.main.free(c.main.replied(calling))
	c.main.call(message{to: 77}).want(abi.BR_NOOP, abi.BR_FAILED_REPLY)
	after := statistics(x)
	want := map[string]int{
		"BC_TRANSACTION": 2, "BC_REPLY": 1, "BC_FREE_BUFFER": 2, "BC_ACQUIRE": 0,
		"BR_TRANSACTION": 1, "BR_REPLY": 1, "BR_TRANSACTION_COMPLETE": 2, "BR_FAILED_REPLY": 1,
		"proc": 0, "thread": 0, "node": 0, "transaction": 2, // without a target it never becomes one
	}
	for name, n := range want {
		if got := after[name] - before[name]; got != n {
			x.Errorf("%s counted %d times, want %d", name, got, n)
		}
	}
}
