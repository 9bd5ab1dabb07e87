package devicetest_test

import (
	"fmt"
	"maps"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/daemon"
	"ipcbench/ipc/binder/device/daemon/server"
	"ipcbench/ipc/binder/devicetest"
)

func TestDaemon(t *testing.T) { run(t, daemonBackend()) }

// daemons are those of this process by their socket.
var daemons sync.Map

func daemonBackend() devicetest.Backend {
	deviations := maps.Clone(goDeviations)
	deviations[5] = "an open device is a connection to the daemon, which a forked child could inherit, but not map"
	deviations[7] = "the file of a region is sealed against growing, so that it has its full length from the start: " +
		"a page without buffer reads as zeros"
	return devicetest.Backend{
		Device:     daemon.Name,
		Release:    goRelease,
		NewContext: daemonContext,
		Open: func(node string, _ devicetest.Identity) (device.Device, error) {
			return daemon.New(daemon.Options{Socket: node}), nil
		},
		Stats: func(node string) (string, error) {
			d, ok := daemons.Load(node)
			if !ok {
				return "", os.ErrNotExist
			}
			var text strings.Builder
			err := d.(*server.Server).Driver().WriteStats(&text)
			return text.String(), err
		},
		Deviations: deviations,
	}
}

// daemonContext starts a daemon in this process; those who use it are others.
func daemonContext(tb testing.TB) string {
	socket := fmt.Sprintf("@devicetest-%d-%d", os.Getpid(), contexts.Add(1))
	d, err := server.New(server.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Net: "unixpacket", Name: socket})
	if err != nil {
		tb.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- d.Serve(l) }()
	daemons.Store(socket, d)
	tb.Cleanup(func() {
		daemons.Delete(socket)
		l.Close()
		<-served
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	return socket
}
