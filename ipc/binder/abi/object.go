package abi

// ObjectType is the first word of an object inside a payload: four characters
// in the header's order, the first in the highest byte.
type ObjectType uint32

const objectLarge = 0x85

// The object types.
const (
	BINDER_TYPE_BINDER      ObjectType = 's'<<24 | 'b'<<16 | '*'<<8 | objectLarge // strong, at its owner
	BINDER_TYPE_WEAK_BINDER ObjectType = 'w'<<24 | 'b'<<16 | '*'<<8 | objectLarge
	BINDER_TYPE_HANDLE      ObjectType = 's'<<24 | 'h'<<16 | '*'<<8 | objectLarge // strong, elsewhere
	BINDER_TYPE_WEAK_HANDLE ObjectType = 'w'<<24 | 'h'<<16 | '*'<<8 | objectLarge
	BINDER_TYPE_FD          ObjectType = 'f'<<24 | 'd'<<16 | '*'<<8 | objectLarge
	BINDER_TYPE_FDA         ObjectType = 'f'<<24 | 'd'<<16 | 'a'<<8 | objectLarge
	BINDER_TYPE_PTR         ObjectType = 'p'<<24 | 't'<<16 | '*'<<8 | objectLarge
)

var objectNames = map[ObjectType]string{
	BINDER_TYPE_BINDER:      "BINDER_TYPE_BINDER",
	BINDER_TYPE_WEAK_BINDER: "BINDER_TYPE_WEAK_BINDER",
	BINDER_TYPE_HANDLE:      "BINDER_TYPE_HANDLE",
	BINDER_TYPE_WEAK_HANDLE: "BINDER_TYPE_WEAK_HANDLE",
	BINDER_TYPE_FD:          "BINDER_TYPE_FD",
	BINDER_TYPE_FDA:         "BINDER_TYPE_FDA",
	BINDER_TYPE_PTR:         "BINDER_TYPE_PTR",
}

// String is the header's name of the type, or its number in hexadecimal.
func (t ObjectType) String() string { return name(objectNames, t) }

// Size is the size in bytes of an object of the type, 0 if it is unknown.
func (t ObjectType) Size() int {
	switch t {
	case BINDER_TYPE_BINDER, BINDER_TYPE_WEAK_BINDER, BINDER_TYPE_HANDLE, BINDER_TYPE_WEAK_HANDLE:
		return SizeofFlatBinderObject
	case BINDER_TYPE_FD:
		return SizeofFDObject
	case BINDER_TYPE_FDA:
		return SizeofFDArrayObject
	case BINDER_TYPE_PTR:
		return SizeofBufferObject
	}
	return 0
}

// ObjectFlags are the flags of a FlatBinderObject.
type ObjectFlags uint32

// The flags. The low byte is the node's minimum priority (a nice value).
const (
	FLAT_BINDER_FLAG_PRIORITY_MASK    ObjectFlags = 0xff
	FLAT_BINDER_FLAG_ACCEPTS_FDS      ObjectFlags = 0x100
	FLAT_BINDER_FLAG_TXN_SECURITY_CTX ObjectFlags = 0x1000
)

// BINDER_BUFFER_FLAG_HAS_PARENT marks a BufferObject whose address is written
// into a parent.
const BINDER_BUFFER_FLAG_HAS_PARENT = 1

// TransactionFlags are the flags of a TransactionData.
type TransactionFlags uint32

// The flags.
const (
	TF_ONE_WAY     TransactionFlags = 0x01 // no reply
	TF_ROOT_OBJECT TransactionFlags = 0x04
	TF_STATUS_CODE TransactionFlags = 0x08 // the payload is a status, for user space
	TF_ACCEPT_FDS  TransactionFlags = 0x10 // the reply may hold descriptors
	TF_CLEAR_BUF   TransactionFlags = 0x20 // zero the buffer when it is freed, since 5.11
	TF_UPDATE_TXN  TransactionFlags = 0x40 // replace an older one that is queued, since 6.0
)
