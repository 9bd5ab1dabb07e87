package floor

import "ipcbench/ipc"

// Memcpy is the memcpy floor: a call copies the request into another private
// buffer of the same process. Its server serves nothing.
type Memcpy struct{ Composite }

// Info describes the floor.
func (Memcpy) Info() ipc.Info {
	return ipc.Info{Name: "memcpy", Summary: "one copy within one process", Waits: ipc.Waits}
}

// Dial takes the client's end.
func (m Memcpy) Dial(c ipc.Config, h ipc.Handover) (ipc.Client, error) {
	inner, err := m.Composite.Dial(c, h)
	if err != nil {
		return nil, err
	}
	copied, err := inner.Buffer(c.MaxRequest)
	if err != nil {
		inner.Close()
		return nil, err
	}
	return &copier{inner, copied.Bytes()}, nil
}

type copier struct {
	ipc.Client
	copied []byte
}

func (c *copier) Call(request *ipc.Buffer) ([]byte, error) {
	return c.copied[:copy(c.copied, request.Bytes())], nil
}
