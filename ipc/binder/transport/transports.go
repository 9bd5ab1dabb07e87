package transport

import (
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// poolThreads is the size of the server's pool: 15 that the driver asks for, the
// one it starts with, and the main thread.
const poolThreads = 17

// Transports returns the transports of this package.
func Transports() (all []ipc.Transport) {
	for _, t := range transportList() {
		if _, isDaemon := t.platform.(daemonPlatform); isDaemon {
			all = append(all, &brokered{t})
		} else {
			all = append(all, t)
		}
	}
	return all
}

func transportList() []*transport {
	block := []ipc.Wait{ipc.Block}
	return []*transport{
		{
			info: ipc.Info{
				Name: "binder", Waits: ipc.Waits, PoolThreads: poolThreads,
				Summary: "Binder driver in its callers: one copy into the receiver's region; futex",
			},
			platform: sharedPlatform{}, carrier: &plain{}, site: binderSite,
		},
		{
			info: ipc.Info{
				Name: "binder-2copy", Waits: ipc.Waits, PoolThreads: poolThreads,
				Summary: "as binder, with a second copy out of the region",
			},
			platform: sharedPlatform{}, carrier: &twice{}, site: twoCopySite,
		},
		{
			info: ipc.Info{
				Name: "binder-parcel", Waits: ipc.Waits, PoolThreads: poolThreads,
				Summary: "as binder, the payload marshalled into a Parcel first",
			},
			platform: sharedPlatform{}, carrier: &parceled{}, site: parceledSite,
		},
		{
			info: ipc.Info{
				Name: "binder-syscall", Waits: block, RuntimeSafe: true, PoolThreads: poolThreads,
				Summary: "as binder, waiting through the Go scheduler",
			},
			platform: sharedPlatform{}, carrier: &plain{}, site: syscallSite,
		},
		{
			info: ipc.Info{
				Name: "binder-daemon", Waits: block, PoolThreads: poolThreads,
				Summary: "Binder driver in a process of its own: one process_vm_readv into the receiver's region; futex",
			},
			platform: daemonPlatform{}, carrier: &plain{}, site: daemonSite, headerSite: &daemonPageSite,
		},
		{
			info: ipc.Info{
				Name: "binder-kernel", Waits: block, PoolThreads: poolThreads,
				Summary: "the running kernel's Binder driver: one copy into the receiver's region",
			},
			platform: kernelPlatform{}, carrier: &plain{}, site: kernelSite,
		},
		{
			info: ipc.Info{
				Name: "binder-kernel-2copy", Waits: block, PoolThreads: poolThreads, Optional: true,
				Summary: "as binder-kernel, with a second copy out of the region",
			},
			platform: kernelPlatform{}, carrier: &twice{}, site: kernelTwoCopySite,
		},
	}
}

// Where each transport's driver copies payload.
var (
	binderSite        = copies.NewSite("binder/CopyFromUser", copies.User)
	twoCopySite       = copies.NewSite("binder-2copy/CopyFromUser", copies.User)
	parceledSite      = copies.NewSite("binder-parcel/CopyFromUser", copies.User)
	syscallSite       = copies.NewSite("binder-syscall/CopyFromUser", copies.User)
	kernelTwoCopySite = copies.NewSite("binder-kernel-2copy/ioctl", copies.Kernel)
	kernelSite        = copies.NewSite("binder-kernel/ioctl", copies.Kernel)
	daemonSite        = copies.NewSite("binder-daemon/process_vm_readv", copies.Kernel)

	// Where the daemon copies what is not payload.
	daemonPageSite = copies.NewSite("binder-daemon/page", copies.User)
)
