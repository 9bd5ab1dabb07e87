package mq

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"ipcbench/ipc"
)

// limit reads a system limit; a kernel without it lacks the mechanism.
func limit(name string) (int, error) {
	b, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("limit %s: %w", name, err)
	}
	return n, nil
}

// limitsOf prints system limits with their names.
func limitsOf(names ...string) string {
	var out []string
	for _, name := range names {
		if n, err := limit(name); err == nil {
			out = append(out, fmt.Sprintf("%s %d", name[strings.LastIndex(name, "/")+1:], n))
		}
	}
	return strings.Join(out, ", ")
}

// splitNote says into how many messages of the system the largest ones go.
func splitNote(cfg ipc.Config, records [2]int) string {
	parts := func(payload, record int) int { return (ipc.HeaderSize + payload + record - 1) / record }
	return fmt.Sprintf("split at %d bytes: the largest request goes in %d messages; at %d, the largest reply in %d",
		records[0], parts(cfg.MaxRequest, records[0]), records[1], parts(cfg.MaxReply, records[1]))
}
