// Package transporttest is the one conformance suite that every transport runs:
//
//	func TestMain(m *testing.M) { transporttest.Main(m, pipe.Transports()...) }
//
//	func TestPipe(t *testing.T) {
//		transporttest.Run(t, transporttest.Subject{Transport: pipe.Transports()[0], Copies: 2})
//	}
//
// Server and clients run as threads of the test process, except where a test
// needs a process of its own: to kill it, or to count its allocations. Main
// turns the test binary into that process.
//
// # The runtime
//
// Transports block in raw system calls, which neither the collector nor anything
// else that stops the world survives. Main therefore turns the collector off and
// gives the runtime a processor for each thread that may block; a test that
// stops the world does so only while nobody is blocked.
package transporttest
