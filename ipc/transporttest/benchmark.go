package transporttest

import (
	"fmt"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
)

// Benchmark measures calls between two processes on two CPUs, with each wait, and
// beside them how often a call puts the client's thread to sleep.
func Benchmark(b *testing.B, subjects ...Subject) {
	for _, s := range subjects {
		for _, wait := range s.Info().Waits {
			for _, size := range []int{64, 4 << 10, 64 << 10, 1 << 20} {
				b.Run(fmt.Sprintf("%s/%s/%d", s.Info().Name, wait, size), func(b *testing.B) {
					cfg := config(s, size)
					cfg.Wait = wait
					benchmark(b, s, cfg)
				})
			}
		}
	}
}

func benchmark(b *testing.B, s Subject, cfg ipc.Config) {
	var c *channel
	var peer *child
	Apart(b, func() { c, peer = serveAside(b, s, cfg, "serve") })
	peer.awaitReady(b)
	client := c.clients[0]
	request := c.buffer(client, cfg.MaxRequest)
	payload := request.Bytes()
	before := sleeps(b)
	b.ResetTimer()
	for i := range b.N { // b.Loop would look at the clock in between
		for line := 0; line < len(payload); line += 64 {
			payload[line] = byte(i)
		}
		if _, err := client.Call(request); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(sleeps(b)-before)/float64(b.N), "client-sleeps/op")
	if err := client.Stop(); err != nil {
		b.Fatal(err)
	}
}

// Apart binds the processes that begin starts to one CPU and the calling
// goroutine, with a thread of its own, to another, where there are two.
func Apart(b *testing.B, begin func()) {
	b.Helper()
	runtime.LockOSThread() // and never unlocked: the thread ends with the benchmark
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		b.Fatal(err)
	}
	cpus := make([]int, 0, 2)
	for cpu := 0; len(cpus) < min(2, allowed.Count()); cpu++ {
		if allowed.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	bind(b, cpus[len(cpus)-1])
	begin()
	bind(b, cpus[0])
}

func bind(b *testing.B, cpu int) {
	b.Helper()
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		b.Fatal(err)
	}
}

// sleeps is how often the calling thread has gone to sleep.
func sleeps(b *testing.B) int64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Nvcsw
}
