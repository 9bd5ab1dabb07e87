package transporttest

import "ipcbench/ipc"

// service makes a handler of a function for each thread.
type service func(ipc.Thread) (func(request []byte, oneway bool) *ipc.Buffer, error)

func (s service) NewHandler(t ipc.Thread) (ipc.Handler, error) {
	f, err := s(t)
	return handler(f), err
}

type handler func(request []byte, oneway bool) *ipc.Buffer

func (h handler) Handle(request []byte, oneway bool) *ipc.Buffer { return h(request, oneway) }

func (h handler) Done() {}

// echo answers with the request, of up to limit bytes.
func echo(limit int) ipc.Service {
	return service(func(t ipc.Thread) (func([]byte, bool) *ipc.Buffer, error) {
		reply, err := t.Buffer(limit)
		return func(request []byte, _ bool) *ipc.Buffer {
			reply.Resize(len(request))
			copy(reply.Bytes(), request)
			return reply
		}, err
	})
}
