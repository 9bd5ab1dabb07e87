package local

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/driver"
)

// Post is where a process receives descriptors that others send it: a
// datagram socket. A descriptor under way takes no place in anybody's table,
// and does not depend on what its sender does next.
type Post struct {
	path string
	in   int
	out  int

	mu      sync.Mutex
	arrived map[driver.FileKey]int32
}

// letter is the text that goes with a descriptor; without one it means that
// the descriptor of the key will not be taken.
const letterSize = 12

// sendPatience is how long a sender waits for a full receiver.
const sendPatience = 2 * time.Second

// NewPost makes a socket at a path, or at one that the kernel chooses if path
// is empty. A path that begins with @ is outside the file system.
func NewPost(path string) (*Post, error) {
	p := &Post{in: -1, out: -1, arrived: map[driver.FileKey]int32{}}
	var err error
	const kind = unix.SOCK_DGRAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	if p.in, err = unix.Socket(unix.AF_UNIX, kind, 0); err == nil {
		p.out, err = unix.Socket(unix.AF_UNIX, kind, 0)
	}
	if err == nil {
		err = unix.Bind(p.in, &unix.SockaddrUnix{Name: path})
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("socket for descriptors: %w", err)
	}
	p.path = path
	if path == "" {
		if sa, err := unix.Getsockname(p.in); err == nil {
			p.path = sa.(*unix.SockaddrUnix).Name
		}
	}
	return p, nil
}

// Path is where others send to.
func (p *Post) Path() string { return p.path }

// FD is the descriptor that is readable when something arrives.
func (p *Post) FD() int { return p.in }

// Send sends a descriptor to a path.
func (p *Post) Send(path string, key driver.FileKey, fd int32) error {
	return p.send(path, key, unix.UnixRights(int(fd)))
}

// SendDrop tells the receiver at a path that it need not keep a descriptor.
func (p *Post) SendDrop(path string, key driver.FileKey) error { return p.send(path, key, nil) }

func (p *Post) send(path string, key driver.FileKey, rights []byte) error {
	var letter [letterSize]byte
	binary.NativeEndian.PutUint64(letter[:], key.Transaction)
	binary.NativeEndian.PutUint32(letter[8:], key.Index)
	to := &unix.SockaddrUnix{Name: path}
	for deadline := time.Now().Add(sendPatience); ; time.Sleep(time.Millisecond) {
		err := unix.Sendmsg(p.out, letter[:], rights, to, 0)
		if err != unix.EAGAIN && err != unix.EINTR || time.Now().After(deadline) {
			return err
		}
	}
}

// Take is the descriptor with the key, which has been sent. The error is EBADF
// if it was lost because the table was full.
func (p *Post) Take(key driver.FileKey) (int32, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drain()
	fd, ok := p.arrived[key]
	if !ok {
		return 0, unix.EBADF
	}
	delete(p.arrived, key)
	return fd, nil
}

// Drop closes the descriptor with the key, which has been sent.
func (p *Post) Drop(key driver.FileKey) {
	if fd, err := p.Take(key); err == nil {
		_ = unix.Close(int(fd))
	}
}

// Drain takes in what has arrived, so that senders do not find the socket
// full.
func (p *Post) Drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drain()
}

func (p *Post) drain() {
	var letter [letterSize]byte
	var oob [64]byte
	for {
		n, m, _, _, err := unix.Recvmsg(p.in, letter[:], oob[:], unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return
		}
		if n == letterSize {
			p.open(letter, oob[:m])
		}
	}
}

func (p *Post) open(letter [letterSize]byte, oob []byte) {
	key := driver.FileKey{Transaction: binary.NativeEndian.Uint64(letter[:]), Index: binary.NativeEndian.Uint32(letter[8:])}
	messages, _ := unix.ParseSocketControlMessage(oob)
	if len(messages) == 0 {
		if fd, ok := p.arrived[key]; ok {
			_ = unix.Close(int(fd))
			delete(p.arrived, key)
		}
		return
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err == nil && len(fds) == 1 {
			p.arrived[key] = int32(fds[0])
		}
	}
}

// Close closes the socket and what arrived and was not taken.
func (p *Post) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, fd := range []int{p.in, p.out} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	for _, fd := range p.arrived {
		_ = unix.Close(int(fd))
	}
	p.arrived = nil
}
