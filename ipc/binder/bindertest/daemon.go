package bindertest

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"testing"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/daemon"
	"ipcbench/ipc/binder/device/daemon/server"
)

func init() {
	places[daemon.Name] = daemonPlace
	open[daemon.Name] = func(socket string) (device.Device, error) {
		return daemon.New(daemon.Options{Socket: socket}), nil
	}
}

// sockets numbers the daemons of this process.
var sockets atomic.Int64

// daemonPlace is a daemon of its own for each test, in the test's process.
func daemonPlace(t testing.TB) Place {
	socket := fmt.Sprintf("@bindertest-%d-%d", os.Getpid(), sockets.Add(1))
	d, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Net: "unixpacket", Name: socket})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- d.Serve(l) }()
	t.Cleanup(func() {
		l.Close()
		<-served
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return processes{daemon.Name, socket}
}
