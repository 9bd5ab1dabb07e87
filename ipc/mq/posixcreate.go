package mq

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/internal/ends"
)

// minRecord is the smallest message size that a queue is shrunk to.
const minRecord = 1 << 10

// createPosix makes two queues for each client, as long and with messages as
// large as the system lets an unprivileged user, or as RLIMIT_MSGQUEUE has
// room for: fewer messages first, smaller ones then.
func createPosix(cfg ipc.Config) (*ends.Link, error) {
	defer raiseQueueLimit()()
	size, err := limit("fs/mqueue/msgsize_max")
	if err != nil {
		return nil, err
	}
	longest, err := limit("fs/mqueue/msg_max")
	if err != nil {
		return nil, err
	}
	for ; ; size /= 2 {
		records := [2]int{min(size, ipc.HeaderSize+cfg.MaxRequest), min(size, ipc.HeaderSize+cfg.MaxReply)}
		for length := longest; length > 0; length /= 2 {
			l, err := ends.Make(cfg.Clients, func() (ends.Connection, error) { return newPosix(length, records) })
			if err == nil {
				l.Note("%s", splitNote(cfg, records))
				l.Note("queues of %d messages", length)
				return l, nil
			}
			if !errors.Is(err, unix.EMFILE) || length == 1 && size/2 < minRecord {
				return nil, err
			}
		}
	}
}

// raiseQueueLimit raises RLIMIT_MSGQUEUE, which is asked for only when a queue is
// made, as far as permitted. The function it returns sets it back.
func raiseQueueLimit() (restore func()) {
	var was unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MSGQUEUE, &was) != nil {
		return func() {}
	}
	unlimited := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &unlimited) != nil {
		unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &unix.Rlimit{Cur: was.Max, Max: was.Max})
	}
	return func() { unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &was) }
}

// newPosix makes the queues of one client.
func newPosix(length int, records [2]int) (c ends.Connection, err error) {
	var id identity
	for i, record := range records {
		name := "ipcbench-" + rand.Text()
		fd, err := sys.MQOpen(name, length, record)
		if err != nil {
			return c, errors.Join(fmt.Errorf("mq_open of %d messages of %d bytes: %w", length, record, err), c.Close())
		}
		err = sys.MQUnlink(name)
		c.Server.Files = append(c.Server.Files, os.NewFile(uintptr(fd), name))
		if err != nil {
			return c, errors.Join(fmt.Errorf("mq_unlink: %w", err), c.Close())
		}
		other, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return c, errors.Join(fmt.Errorf("duplicate a queue's descriptor: %w", err), c.Close())
		}
		c.Client.Files = append(c.Client.Files, os.NewFile(uintptr(other), name))
		id.Records[i] = uint32(record)
	}
	if err := c.AddLifeline(); err != nil {
		return c, errors.Join(err, c.Close())
	}
	c.Server.Data, c.Client.Data = id.bytes(), id.bytes()
	return c, nil
}

func explainPosix(err error, cfg ipc.Config) error {
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.ENOSPC), errors.Is(err, unix.ENOMEM):
		var r unix.Rlimit
		unix.Getrlimit(unix.RLIMIT_MSGQUEUE, &r)
		return fmt.Errorf("%w: %d queues (RLIMIT_MSGQUEUE %d bytes a user, at most %d; %s): %w", ipc.ErrNoResources,
			2*cfg.Clients, r.Cur, r.Max, limitsOf("fs/mqueue/queues_max", "fs/mqueue/msg_max", "fs/mqueue/msgsize_max"), err)
	}
	return err
}
