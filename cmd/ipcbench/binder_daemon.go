package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/device/daemon/server"
)

func newBinderDaemon(d *binderDevice) *cobra.Command {
	limits := server.DefaultLimits
	var mode uint32
	c := &cobra.Command{
		Use:   "daemon",
		Short: "Run the driver in this process, for processes that do not trust each other, until interrupted",
		Long: "Run the driver in this process, for processes that do not trust each other, until interrupted.\n\n" +
			"Clients use it with --device daemon. Serving processes of other users takes CAP_SYS_PTRACE, and a\n" +
			"--socket-mode that lets them connect.",
		Example: "  ipcbench binder daemon --socket /tmp/binder.socket\n" +
			"  ipcbench binder daemon --max-threads 32 --max-processes 16",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runDaemon(c, d.socket, os.FileMode(mode), server.Options{Limits: limits})
		},
	}
	flags := c.Flags()
	flags.Uint32Var(&mode, "socket-mode", 0o600, "permissions of the socket")
	flags.IntVar(&limits.Processes, "max-processes", limits.Processes, "open files of one user; further ones are hung up on")
	flags.IntVar(&limits.Threads, "max-threads", limits.Threads, "threads of one file that may call; further ones get ENOMEM")
	flags.IntVar(&limits.Region, "max-region", limits.Region, "bytes of a receive region; a longer one is ENOMEM")
	flags.IntVar(&limits.Files, "max-files", limits.Files, "descriptors of one process under way; a transaction with more fails")
	flags.IntVar(&limits.Buffers, "max-buffers", limits.Buffers, "buffers in one region, half of them for one-way transactions; one that needs another fails with ENOSPC")
	flags.IntVar(&limits.Objects, "max-objects", limits.Objects, "nodes, and handles, of one process; a transaction that needs another fails with ENOMEM")
	return c
}

func runDaemon(c *cobra.Command, socket string, mode os.FileMode, o server.Options) error {
	l, err := listenDaemon(socket, mode)
	if err != nil {
		return err
	}
	defer l.Close()
	raiseFileLimit()
	s, err := server.New(o)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	go func() {
		<-signals
		l.Close()
	}()
	fmt.Fprintf(c.ErrOrStderr(), "listening at %s\n", socket)
	err = s.Serve(l)
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, s.Close())
}

// listenDaemon makes the socket, in the place of one that a dead daemon left.
func listenDaemon(socket string, mode os.FileMode) (*net.UnixListener, error) {
	address := &net.UnixAddr{Net: "unixpacket", Name: socket}
	inFiles := !strings.HasPrefix(socket, "@")
	if inFiles {
		if conn, err := net.DialUnix("unixpacket", nil, address); err == nil {
			conn.Close()
			return nil, fmt.Errorf("a daemon listens at %s: %w", socket, unix.EADDRINUSE)
		} else if errors.Is(err, unix.ECONNREFUSED) {
			_ = os.Remove(socket)
		}
	}
	l, err := net.ListenUnix("unixpacket", address)
	if err == nil && inFiles {
		err = os.Chmod(socket, mode)
	}
	return l, err
}

// raiseFileLimit makes room for a few descriptors a client.
func raiseFileLimit() {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = limit.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	}
}
