package main

import (
	"ipcbench/ipc"
	"ipcbench/ipc/pipe"
)

// transports are all that this program knows, in the order of its tables.
func transports() *ipc.Registry {
	return ipc.NewRegistry(pipe.Transports()...)
}
