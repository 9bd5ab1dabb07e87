package main

import (
	"slices"

	"ipcbench/ipc"
	"ipcbench/ipc/binder/transport"
	"ipcbench/ipc/mq"
	"ipcbench/ipc/pipe"
	"ipcbench/ipc/shm"
	"ipcbench/ipc/socket"
)

// transports are all that this program knows, in the order of its tables.
func transports() *ipc.Registry {
	return ipc.NewRegistry(slices.Concat(
		pipe.Transports(),
		socket.Transports(),
		mq.Transports(),
		shm.Transports(),
		transport.Transports(),
	)...)
}
