package mq

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/internal/ends"
)

// wantedCapacity is what a System V queue is made to hold where that is permitted:
// the sender then seldom sleeps in the middle of a message.
const wantedCapacity = 1 << 20

// createSysV makes two queues for each client, and splits at what both the
// system and a queue take.
func createSysV(cfg ipc.Config) (*ends.Link, error) {
	msgmax, err := limit("kernel/msgmax")
	if err != nil {
		return nil, err
	}
	var capacity int // of each queue
	l, err := ends.Make(cfg.Clients, func() (c ends.Connection, err error) {
		c, capacity, err = newSysV(msgmax)
		return c, err
	})
	if err != nil {
		return nil, err
	}
	record := min(msgmax, capacity)
	if record <= ipc.HeaderSize {
		return nil, errors.Join(fmt.Errorf("%w: messages of %d bytes", errors.ErrUnsupported, record), l.Close())
	}
	l.Note("%s", splitNote(cfg, [2]int{record, record}))
	l.Note("queues of %d bytes", capacity)
	return l, nil
}

// newSysV makes the queues of one client, and says what each holds.
func newSysV(msgmax int) (c ends.Connection, capacity int, err error) {
	var id identity
	var queues [2]queue
	c.Remove = func() error { return closeQueues(queues) }
	for i := range queues {
		q, err := sys.MsgGet()
		if err != nil {
			return c, 0, errors.Join(fmt.Errorf("msgget: %w", err), c.Close())
		}
		queues[i] = sysvQueue{q}
		if capacity, err = enlarge(q); err != nil {
			return c, 0, errors.Join(err, c.Close())
		}
		id.Queues[i], id.Records[i] = uint32(q), uint32(min(msgmax, capacity))
	}
	if err := c.AddLifeline(); err != nil {
		return c, 0, errors.Join(err, c.Close())
	}
	c.Server.Data, c.Client.Data = id.bytes(), id.bytes()
	return c, capacity, nil
}

// enlarge gives a queue the wanted capacity where permitted, and returns what it
// has.
func enlarge(id int) (int, error) {
	capacity, _, err := sys.MsgStat(id)
	if err != nil {
		return 0, fmt.Errorf("msgctl IPC_STAT: %w", err)
	}
	if capacity < wantedCapacity && sys.MsgSetCapacity(id, wantedCapacity) == nil {
		return wantedCapacity, nil
	}
	return capacity, nil
}

func explainSysV(err error, cfg ipc.Config) error {
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.ENOMEM), errors.Is(err, unix.EMFILE):
		return fmt.Errorf("%w: %d queues (%s): %w", ipc.ErrNoResources, 2*cfg.Clients,
			limitsOf("kernel/msgmni", "kernel/msgmnb", "kernel/msgmax"), err)
	}
	return err
}
