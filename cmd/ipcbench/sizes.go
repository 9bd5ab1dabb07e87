package main

import (
	"fmt"
	"strconv"
	"strings"
)

// parseSizes reads payload sizes in bytes; K and M are powers of 1024.
func parseSizes(list []string) (sizes []int, err error) {
	for _, s := range list {
		n, err := parseSize(s)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}

func parseSize(s string) (int, error) {
	digits, unit := s, 1
	switch {
	case strings.HasSuffix(s, "K"):
		digits, unit = s[:len(s)-1], 1<<10
	case strings.HasSuffix(s, "M"):
		digits, unit = s[:len(s)-1], 1<<20
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || int64(n)*int64(unit) > 1<<31-1 {
		return 0, fmt.Errorf("size %q: a number of bytes is needed, such as 64, 4K or 1M", s)
	}
	return int(n) * unit, nil
}
