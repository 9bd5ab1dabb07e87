package stream

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/transporttest"
)

// mirrorVariable makes a process of this test binary the peer of BenchmarkHeader;
// its value is the number of bytes before a payload.
const mirrorVariable = "IPCBENCH_STREAM_MIRROR"

func TestMain(m *testing.M) {
	if header, ok := os.LookupEnv(mirrorVariable); ok {
		mirror(header)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const mirrored = 64 << 10

// BenchmarkHeader is what the distance between the beginning of a message and that
// of its payload, which lies on a page, costs: 64 KiB through a pipe and back
// through another, between two processes on two CPUs, with nothing else.
func BenchmarkHeader(b *testing.B) {
	for _, header := range []int{0, 8, 16, 24, 32, 40, 48, 56, HeaderSize} {
		b.Run(fmt.Sprintf("%d", header), func(b *testing.B) { benchmarkHeader(b, header) })
	}
}

func benchmarkHeader(b *testing.B, header int) {
	var in, out int
	transporttest.Apart(b, func() { in, out = startMirror(b, header) })
	message := newMessage(header)
	b.SetBytes(2 * mirrored)
	b.ResetTimer()
	for range b.N {
		if err := move(sys.RawWrite, out, message); err != nil {
			b.Fatal(err)
		}
		if err := move(sys.RawRead, in, message); err != nil {
			b.Fatal(err)
		}
	}
}

// startMirror starts a process that sends back what it receives, and returns the
// pipes that lead from and to it.
func startMirror(b *testing.B, header int) (in, out int) {
	there, back := newPipe(b), newPipe(b)
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), mirrorVariable+"="+strconv.Itoa(header))
	c.ExtraFiles = []*os.File{os.NewFile(uintptr(there[0]), "there"), os.NewFile(uintptr(back[1]), "back")}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	for _, f := range c.ExtraFiles {
		f.Close()
	}
	b.Cleanup(func() {
		unix.Close(there[1]) // which ends the process
		unix.Close(back[0])
		c.Wait()
	})
	return back[0], there[1]
}

// newPipe makes a pipe that holds a message, as package pipe does.
func newPipe(b *testing.B) (fds [2]int) {
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		b.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, HeaderSize+mirrored); err != nil {
		b.Fatal(err)
	}
	return fds
}

// newMessage is memory for a message with so many bytes before its payload.
func newMessage(header int) []byte {
	buffer, err := ipc.NewBuffer(mirrored)
	if err != nil {
		panic(err)
	}
	return buffer.Front(header)
}

// mirror sends what it receives back until there is no more.
func mirror(header string) {
	n, err := strconv.Atoi(header)
	if err != nil {
		panic(err)
	}
	message := newMessage(n)
	for move(sys.RawRead, 3, message) == nil && move(sys.RawWrite, 4, message) == nil {
	}
}

// move calls until a whole message is moved.
func move(call func(int, []byte) (int, error), fd int, message []byte) error {
	for len(message) > 0 {
		n, err := call(fd, message)
		if err != nil {
			return err
		}
		if n == 0 {
			return io.EOF
		}
		message = message[n:]
	}
	return nil
}
