package stream

import (
	"errors"
	"fmt"

	"ipcbench/ipc"
)

// link holds the files of the ends that were not handed over yet; nothing of a
// channel outlives its descriptors.
type link struct {
	server  ipc.Handover
	clients []ipc.Handover
	notes   []string
}

func (l *link) Server() (ipc.Handover, error) { return handOver(&l.server) }

func (l *link) Client(i int) (ipc.Handover, error) {
	if i < 0 || i >= len(l.clients) {
		return ipc.Handover{}, fmt.Errorf("client %d of %d", i, len(l.clients))
	}
	return handOver(&l.clients[i])
}

func handOver(from *ipc.Handover) (ipc.Handover, error) {
	h := *from
	if h.Files == nil {
		return h, errors.New("handed over already")
	}
	from.Files = nil
	return h, nil
}

func (l *link) Notes() []string { return l.notes }

func (l *link) Close() error {
	errs := []error{l.server.Close()}
	l.server.Files = nil
	for i := range l.clients {
		errs = append(errs, l.clients[i].Close())
		l.clients[i].Files = nil
	}
	return errors.Join(errs...)
}
