// Package socket carries messages over connected sockets of one machine: Unix
// sockets, as a stream or as records, and TCP through the loopback interface.
//
// The creator connects both ends and hands them over as descriptors, so that no
// name is left anywhere and nobody else can connect.
//
// unix-stream, unix-seqpacket and tcp-loopback enter the kernel raw; unix-netpoll
// uses net.UnixConn as any Go program does.
package socket
