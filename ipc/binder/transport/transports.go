package transport

import "ipcbench/ipc"

// Transports returns the transports of this package.
func Transports() []ipc.Transport {
	block := []ipc.Wait{ipc.Block}
	return []ipc.Transport{
		&transport{
			info: ipc.Info{
				Name: "binder-kernel", Waits: block,
				Summary: "the running kernel's Binder driver: one copy into the receiver's region",
			},
			platform: kernelPlatform{}, carrier: plain{}, site: kernelSite,
		},
	}
}
