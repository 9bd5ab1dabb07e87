package ipc_test

import (
	"os/exec"
	"testing"

	"ipcbench/ipc"
)

func TestLifelineBreaksWhenThePeerCloses(t *testing.T) {
	here, there, err := ipc.NewLifeline()
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	l := ipc.Watch(here, func() { close(gone) })
	defer l.Close()
	there.Close()
	<-gone
}

func TestLifelineBreaksWhenThePeerDies(t *testing.T) {
	here, there, err := ipc.NewLifeline()
	if err != nil {
		t.Fatal(err)
	}
	peer := exec.Command("sleep", "60")
	peer.ExtraFiles = append(peer.ExtraFiles, there)
	if err := peer.Start(); err != nil {
		t.Fatal(err)
	}
	there.Close()
	gone := make(chan struct{})
	l := ipc.Watch(here, func() { close(gone) })
	defer l.Close()
	select {
	case <-gone:
		t.Fatal("broken while the peer lives")
	default:
	}
	peer.Process.Kill()
	peer.Wait()
	<-gone
}

func TestLifelineClosedHereDoesNotBreak(t *testing.T) {
	here, there, err := ipc.NewLifeline()
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	l := ipc.Watch(here, func() { t.Error("gone") })
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
