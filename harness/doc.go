// Package harness measures transports: it plans the cells of a run, starts
// worker processes, interleaves their rounds, and records what each round gave.
// It knows no concrete transport, only the contract in package ipc; what the
// numbers mean is for package results.
package harness
