package mq

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

// wantedCapacity is what a System V queue is made to hold where that is permitted:
// the sender then seldom sleeps in the middle of a message.
const wantedCapacity = 1 << 20

// createSysV makes two queues for each client, and splits at what both the
// system and a queue take.
func createSysV(cfg ipc.Config) ([]*connection, []string, error) {
	msgmax, err := limit("kernel/msgmax")
	if err != nil {
		return nil, nil, err
	}
	conns, err := newConnections(cfg.Clients, func() (*connection, error) { return newSysV(msgmax) })
	if err != nil {
		return nil, nil, err
	}
	record := int(conns[0].Records[0])
	if record <= ipc.HeaderSize {
		return nil, nil, errors.Join(fmt.Errorf("%w: messages of %d bytes", errors.ErrUnsupported, record), closeAll(conns))
	}
	return conns, []string{splitNote(cfg, [2]int{record, record}),
		fmt.Sprintf("queues of %d bytes", conns[0].capacity)}, nil
}

func newSysV(msgmax int) (*connection, error) {
	c := &connection{}
	for i := range c.Queues {
		id, err := sys.MsgGet()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("msgget: %w", err), c.close())
		}
		c.queues = append(c.queues, sysvQueue{id})
		if c.capacity, err = enlarge(id); err != nil {
			return nil, errors.Join(err, c.close())
		}
		c.Queues[i], c.Records[i] = uint32(id), uint32(min(msgmax, c.capacity))
	}
	if err := c.addLifeline(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
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
