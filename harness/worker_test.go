package harness

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ipcbench/ipc"
)

// tardy is a transport whose server takes its time to close, long after it has sent
// its threads home, and then leaves a file to show that it did.
type tardy struct{ ipc.Transport }

type tardyServer struct {
	closing chan struct{}
	file    string
}

func (tardy) Info() ipc.Info { return ipc.Info{Name: "tardy"} }

func (tardy) Listen(_ ipc.Config, h ipc.Handover) (ipc.Server, error) {
	return &tardyServer{make(chan struct{}), string(h.Data)}, nil
}

func (s *tardyServer) Serve(ipc.Service) error {
	<-s.closing
	return ipc.ErrClosed
}

func (s *tardyServer) Close() error {
	close(s.closing)
	time.Sleep(200 * time.Millisecond)
	return os.WriteFile(s.file, nil, 0o600)
}

// TestWorkerClosesBeforeItEnds: a worker whose harness is gone lets go of its channel
// whole, although its session fails as soon as that begins.
func TestWorkerClosesBeforeItEnds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "closed")
	p, err := startProcess("/proc/self/exe", "tardy server", assignment{Transport: "tardy", Role: serverRole},
		ipc.Handover{Data: []byte(file)}, os.Environ(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	if a, err := p.receive(startTimeout); err != nil || !a.Ready {
		t.Fatal(a, err)
	}
	if err := p.send(order{Session: &session{}}); err != nil {
		t.Fatal(err)
	}
	p.line.Close()
	select {
	case <-p.exited:
	case <-time.After(startTimeout):
		t.Fatal("the worker does not end")
	}
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		t.Error("the worker ended in the middle of closing its end")
	} else if err != nil {
		t.Error(err)
	}
}
