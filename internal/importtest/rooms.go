package importtest

// room is a folder, what its code may import of this module, and what of
// elsewhere it may not.
type room struct {
	// folder covers everything below it that no longer folder covers; a last
	// element "*" stands for any one.
	folder string
	// may lists folders; one with "/..." stands for all below it as well.
	may []string
	// never lists standard packages, likewise.
	never []string
}

// rooms are the arrows of the architecture: cmd → results → harness → ipc.
var rooms = []room{
	{folder: "cmd", may: []string{"cmd/...", "results/...", "harness/...", "ipc/...", "internal/..."}},
	{folder: "vm"},
	{folder: "results", may: []string{"results/...", "harness/...", "ipc", "ipc/copies", "internal/..."}},
	// The harness knows the contract, and no concrete transport.
	{folder: "harness", may: []string{"harness/...", "ipc", "ipc/copies", "internal/..."}},
	// Claims speak of Binder: they know what a device is and the runtime that a
	// program uses, and no device.
	{folder: "harness/claims", may: []string{"harness/...", "ipc", "ipc/copies", "ipc/binder", "ipc/binder/abi",
		"ipc/binder/parcel", "ipc/binder/servicemanager", "ipc/binder/device", "internal/..."}},
	{folder: "internal", may: []string{"internal/...", "ipc", "ipc/copies"}},
	{folder: "internal/sys"},
	// The self-tests of the method stand beside the command, above results.
	{folder: "internal/selftest", may: []string{"results/...", "harness/...", "ipc", "ipc/copies", "internal/..."}},

	{folder: "ipc", may: []string{"ipc/copies", "internal/..."}},
	{folder: "ipc/copies"},
	{folder: "ipc/internal", may: []string{"ipc", "ipc/copies", "ipc/internal/...", "internal/..."}},
	// A transport knows no other transport.
	{folder: "ipc/*", may: []string{"ipc", "ipc/copies", "ipc/internal/...", "internal/..."}},

	// Binder: the runtime knows devices, and never the driver.
	{folder: "ipc/binder", may: []string{"ipc", "ipc/copies", "ipc/internal/...", "internal/...", "ipc/binder",
		"ipc/binder/abi", "ipc/binder/parcel", "ipc/binder/servicemanager", "ipc/binder/device/..."}},
	{folder: "ipc/binder/abi"},
	{folder: "ipc/binder/parcel", may: []string{"ipc/binder/abi"}},
	{folder: "ipc/binder/device", may: []string{"ipc/binder/abi", "ipc/copies", "internal/..."}},
	{folder: "ipc/binder/device/*", may: []string{"ipc/binder/abi", "ipc/copies", "ipc/binder/device/...",
		"ipc/binder/driver/...", "internal/..."}},
	{folder: "ipc/binder/device/kernel", may: []string{"ipc/binder/abi", "ipc/copies", "ipc/binder/device",
		"ipc/binder/device/kernel/...", "internal/..."}},
	// The driver is memory and rules; what it needs of a machine, a device
	// gives it.
	{folder: "ipc/binder/driver", never: []string{"os/...", "net/..."},
		may: []string{"ipc/binder/driver/...", "ipc/binder/abi", "ipc/copies"}},
	{folder: "ipc/binder/driver/alloc", never: []string{"os/...", "net/..."},
		may: []string{"ipc/binder/driver/arena", "ipc/binder/abi"}},
	{folder: "ipc/binder/driver/arena", never: []string{"os/...", "net/..."},
		may: []string{"ipc/binder/driver/arena/...", "internal/sys"}},
}

// testRooms are for tests: only they, and each other, import them, and they
// import what they like. vm runs tests on another kernel.
var testRooms = []string{"vm", "ipc/transporttest", "ipc/internal/stream/streamtest", "ipc/binder/devicetest", "ipc/binder/bindertest",
	"internal/alone", "internal/importtest", "internal/leakcheck"}

// unsafeRooms are where unsafe and raw system calls may be, in files named
// *_unsafe.go or *_unsafe_test.go.
var unsafeRooms = []string{"internal/sys", "ipc/binder/driver/arena"}

// layoutRooms are where such files may ask unsafe for sizes and offsets, which
// touches no memory, and for nothing else.
var layoutRooms = []string{"ipc/binder/abi"}
