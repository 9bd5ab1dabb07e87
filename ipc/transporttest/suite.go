package transporttest

import (
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"ipcbench/internal/leakcheck"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// Subject is a transport and what its tests need to know of it.
type Subject struct {
	ipc.Transport
	// Copies that each direction makes of a payload, whatever its size.
	Copies float64
	// Syscalls that a round trip of 64 B takes, both ends together, when it
	// blocks; 0 leaves it open.
	Syscalls int
	// Largest payload that the transport carries, in bytes; 0 is 4 MiB.
	Largest int
	// SleepsMayLack: some of the Syscalls are made only if an end sleeps.
	SleepsMayLack bool
	// Inject makes bytes, a header and what follows it, arrive at the peer of
	// the end that is handed over and sends in a direction, as the transport
	// itself would; nil skips the tests of hostile peers. It is also called in
	// a child, and where there is less than the header announces: it then sends
	// what a sender has sent by the middle of its message.
	Inject func(cfg ipc.Config, h ipc.Handover, d copies.Direction, bytes []byte) error
}

// processors is how many threads may block at once, and some to spare.
const processors = 64

// Main is the TestMain of a package that runs the suite on the subjects.
func Main(m *testing.M, subjects ...Subject) {
	isolate()
	debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(processors)
	if description, ok := os.LookupEnv(childVariable); ok {
		os.Exit(runChild(description, subjects))
	}
	os.Exit(m.Run())
}

// Run runs the suite on each subject.
func Run(t *testing.T, subjects ...Subject) {
	for _, s := range subjects {
		t.Run(s.Info().Name, func(t *testing.T) { runSuite(t, s) })
	}
}

func runSuite(t *testing.T, s Subject) {
	if err := s.Check(config(s, 0)); err != nil {
		skipUnsupported(t, err)
		t.Fatal(err)
	}
	tests := []struct {
		name string
		run  func(*testing.T, Subject)
	}{
		{"Echo", testEcho},
		{"Order", testOrder},
		{"OneWay", testOneWay},
		{"ServeAgain", testServeAgain},
		{"Clients", testClients},
		{"TooLarge", testTooLarge},
		{"HugePages", testHugePages},
		{"CloseServer", testCloseServer},
		{"CloseClient", testCloseClient},
		{"CloseSender", testCloseSender},
		{"ClosedEnds", testClosedEnds},
		{"ClientKilled", testClientKilled},
		{"ClientKilledCalling", testClientKilledCalling},
		{"KilledInMessage", testKilledInMessage},
		{"ServerKilled", testServerKilled},
		{"ServerKilledServing", testServerKilledServing},
		{"KilledAtWork", testKilledAtWork},
		{"Survivors", testSurvivors},
		{"Orphans", testOrphans},
		{"SurvivorOfUnread", testSurvivorOfUnread},
		{"Hostile", testHostile},
		{"Allocs", testAllocs},
		{"Ledger", testLedger},
		{"Syscalls", testSyscalls},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			leakcheck.Expect(t, objects)
			test.run(t, s)
		})
	}
}

func skipUnsupported(t *testing.T, err error) {
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
}

// config is a channel for one client and payloads of up to size bytes.
func config(s Subject, size int) ipc.Config {
	return ipc.Config{MaxRequest: size, MaxReply: size, Clients: 1, Wait: s.Info().Waits[0]}
}
