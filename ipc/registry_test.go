package ipc_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"ipcbench/ipc"
)

// named is a transport of which only the Info matters.
type named struct {
	ipc.Transport
	info ipc.Info
}

func (n named) Info() ipc.Info { return n.info }

func registry() *ipc.Registry {
	return ipc.NewRegistry(
		named{info: ipc.Info{Name: "pipe"}},
		named{info: ipc.Info{Name: "unix-stream"}},
		named{info: ipc.Info{Name: "unix-netpoll", Optional: true}},
	)
}

func TestSelect(t *testing.T) {
	for _, test := range []struct {
		patterns []string
		want     string
	}{
		{nil, "[pipe=false unix-stream=false]"},
		{[]string{"unix-netpoll"}, "[unix-netpoll=true]"},
		{[]string{"unix-*"}, "[unix-stream=false unix-netpoll=false]"},
		{[]string{"unix-stream", "pipe"}, "[pipe=true unix-stream=true]"},
		{[]string{"unix-stream", "unix-*"}, "[unix-stream=true unix-netpoll=false]"},
		{[]string{"unix-*", "unix-stream"}, "[unix-stream=true unix-netpoll=false]"},
	} {
		selected, err := registry().Select(test.patterns)
		if err != nil {
			t.Errorf("%v: %v", test.patterns, err)
		}
		var got []string
		for _, s := range selected {
			got = append(got, fmt.Sprintf("%s=%v", s.Info().Name, s.ByName))
		}
		if fmt.Sprint(got) != test.want {
			t.Errorf("%v: %v, want %v", test.patterns, got, test.want)
		}
	}
}

func TestSelectRefuses(t *testing.T) {
	for _, p := range []string{"pip", "x*", ""} {
		if _, err := registry().Select([]string{"pipe", p}); !errors.Is(err, ipc.ErrUnknownTransport) {
			t.Errorf("%q: %v", p, err)
		}
	}
	if _, err := registry().Select([]string{"[pipe"}); err == nil {
		t.Error("a malformed pattern is accepted")
	}
}

func TestRegistryKeepsOrder(t *testing.T) {
	var got []string
	for _, transport := range registry().All() {
		got = append(got, transport.Info().Name)
	}
	if want := []string{"pipe", "unix-stream", "unix-netpoll"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestRegistryRefusesTwoOfOneName(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	ipc.NewRegistry(named{info: ipc.Info{Name: "pipe"}}, named{info: ipc.Info{Name: "pipe"}})
}

func TestOnly(t *testing.T) {
	only, err := registry().Only("unix-netpoll", "pipe")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, transport := range only.All() {
		names = append(names, transport.Info().Name)
	}
	if want := []string{"pipe", "unix-netpoll"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	if _, err := registry().Only("fifo"); !errors.Is(err, ipc.ErrUnknownTransport) {
		t.Errorf("unknown: %v", err)
	}
}
