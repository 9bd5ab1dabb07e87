package abi

import "fmt"

// Ioctl is the request number of an ioctl on a Binder file.
type Ioctl uint32

// Direction and letter of the requests.
const (
	iow  = dirWrite<<dirShift | 'b'<<letterShift
	iowr = (dirRead|dirWrite)<<dirShift | 'b'<<letterShift
)

// The requests. The argument is a pointer to the structure named beside each.
const (
	BINDER_WRITE_READ                   Ioctl = iowr | SizeofWriteRead<<sizeShift | 1         // WriteRead
	BINDER_SET_IDLE_TIMEOUT             Ioctl = iow | 8<<sizeShift | 3                        // int64, unused by the driver
	BINDER_SET_MAX_THREADS              Ioctl = iow | 4<<sizeShift | 5                        // uint32
	BINDER_SET_IDLE_PRIORITY            Ioctl = iow | 4<<sizeShift | 6                        // int32, unused by the driver
	BINDER_SET_CONTEXT_MGR              Ioctl = iow | 4<<sizeShift | 7                        // int32, ignored
	BINDER_THREAD_EXIT                  Ioctl = iow | 4<<sizeShift | 8                        // int32, ignored
	BINDER_VERSION                      Ioctl = iowr | SizeofVersion<<sizeShift | 9           // Version
	BINDER_GET_NODE_DEBUG_INFO          Ioctl = iowr | SizeofNodeDebugInfo<<sizeShift | 11    // NodeDebugInfo
	BINDER_GET_NODE_INFO_FOR_REF        Ioctl = iowr | SizeofNodeInfoForRef<<sizeShift | 12   // NodeInfoForRef
	BINDER_SET_CONTEXT_MGR_EXT          Ioctl = iow | SizeofFlatBinderObject<<sizeShift | 13  // FlatBinderObject
	BINDER_FREEZE                       Ioctl = iow | SizeofFreezeInfo<<sizeShift | 14        // FreezeInfo, since 5.13
	BINDER_GET_FROZEN_INFO              Ioctl = iowr | SizeofFrozenStatusInfo<<sizeShift | 15 // FrozenStatusInfo, since 5.13
	BINDER_ENABLE_ONEWAY_SPAM_DETECTION Ioctl = iow | 4<<sizeShift | 16                       // uint32, since 5.13
	BINDER_GET_EXTENDED_ERROR           Ioctl = iowr | SizeofExtendedError<<sizeShift | 17    // ExtendedError, since 5.19
)

var ioctlNames = map[Ioctl]string{
	BINDER_WRITE_READ:                   "BINDER_WRITE_READ",
	BINDER_SET_IDLE_TIMEOUT:             "BINDER_SET_IDLE_TIMEOUT",
	BINDER_SET_MAX_THREADS:              "BINDER_SET_MAX_THREADS",
	BINDER_SET_IDLE_PRIORITY:            "BINDER_SET_IDLE_PRIORITY",
	BINDER_SET_CONTEXT_MGR:              "BINDER_SET_CONTEXT_MGR",
	BINDER_THREAD_EXIT:                  "BINDER_THREAD_EXIT",
	BINDER_VERSION:                      "BINDER_VERSION",
	BINDER_GET_NODE_DEBUG_INFO:          "BINDER_GET_NODE_DEBUG_INFO",
	BINDER_GET_NODE_INFO_FOR_REF:        "BINDER_GET_NODE_INFO_FOR_REF",
	BINDER_SET_CONTEXT_MGR_EXT:          "BINDER_SET_CONTEXT_MGR_EXT",
	BINDER_FREEZE:                       "BINDER_FREEZE",
	BINDER_GET_FROZEN_INFO:              "BINDER_GET_FROZEN_INFO",
	BINDER_ENABLE_ONEWAY_SPAM_DETECTION: "BINDER_ENABLE_ONEWAY_SPAM_DETECTION",
	BINDER_GET_EXTENDED_ERROR:           "BINDER_GET_EXTENDED_ERROR",
}

// String is the header's name of the request, or its number in hexadecimal.
func (i Ioctl) String() string { return name(ioctlNames, i) }

// Size is the size of the request's argument in bytes.
func (i Ioctl) Size() int { return payloadSize(uint32(i)) }

// name looks a number up, and falls back to hexadecimal.
func name[C ~uint32](names map[C]string, code C) string {
	if s, ok := names[code]; ok {
		return s
	}
	return fmt.Sprintf("%#x", uint32(code))
}
