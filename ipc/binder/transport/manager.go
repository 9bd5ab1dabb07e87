package transport

import (
	"errors"

	"ipcbench/ipc"
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/servicemanager"
)

// startManager makes the creator of a channel its service manager, until stop.
// A variable because the driver refuses calls of the manager's own process,
// and tests have all ends in one.
var startManager = func(p platform, place string) (stop func() error, err error) {
	ps, err := join(p, place, ipc.Block, false, binder.WithMaxThreads(0))
	if err != nil {
		return nil, err
	}
	if _, err = servicemanager.Become(ps.ProcessState); err == nil {
		err = ps.StartThreadPool()
	}
	if err != nil {
		return nil, errors.Join(err, ps.Close())
	}
	return ps.Close, nil
}
