package abi

import "encoding/binary"

// Sizes of the structures in bytes.
const (
	SizeofWriteRead             = 48
	SizeofVersion               = 4
	SizeofTransactionData       = 64
	SizeofPtrCookie             = 16
	SizeofPriDesc               = 8
	SizeofPriPtrCookie          = 24
	SizeofNodeDebugInfo         = 24
	SizeofNodeInfoForRef        = 24
	SizeofFreezeInfo            = 12
	SizeofFrozenStatusInfo      = 12
	SizeofExtendedError         = 12
	SizeofFrozenStateInfo       = 16
	SizeofFlatBinderObject      = 24
	SizeofFDObject              = 24
	SizeofBufferObject          = 40
	SizeofFDArrayObject         = 32
	SizeofTransactionDataSecCtx = SizeofTransactionData + 8
	SizeofTransactionDataSG     = SizeofTransactionData + 8
	SizeofHandleCookie          = 12
)

var order = binary.NativeEndian

// WriteRead is struct binder_write_read, the argument of BINDER_WRITE_READ. The
// consumed counts are in and out: where to start, and how far the driver came.
type WriteRead struct {
	WriteSize     uint64
	WriteConsumed uint64
	WriteBuffer   uint64
	ReadSize      uint64
	ReadConsumed  uint64
	ReadBuffer    uint64
}

// Decode reads the structure from the first SizeofWriteRead bytes of b.
func (v *WriteRead) Decode(b []byte) {
	_ = b[SizeofWriteRead-1]
	v.WriteSize = order.Uint64(b[0:])
	v.WriteConsumed = order.Uint64(b[8:])
	v.WriteBuffer = order.Uint64(b[16:])
	v.ReadSize = order.Uint64(b[24:])
	v.ReadConsumed = order.Uint64(b[32:])
	v.ReadBuffer = order.Uint64(b[40:])
}

// Encode writes the structure to the first SizeofWriteRead bytes of b.
func (v *WriteRead) Encode(b []byte) {
	_ = b[SizeofWriteRead-1]
	order.PutUint64(b[0:], v.WriteSize)
	order.PutUint64(b[8:], v.WriteConsumed)
	order.PutUint64(b[16:], v.WriteBuffer)
	order.PutUint64(b[24:], v.ReadSize)
	order.PutUint64(b[32:], v.ReadConsumed)
	order.PutUint64(b[40:], v.ReadBuffer)
}

// EncodeConsumed writes what the driver changes of the structure to its place in
// b, where the rest of it lies already.
func (v *WriteRead) EncodeConsumed(b []byte) {
	_ = b[SizeofWriteRead-1]
	order.PutUint64(b[8:], v.WriteConsumed)
	order.PutUint64(b[32:], v.ReadConsumed)
}

// Consumed is what the driver changed of the structure in b.
func Consumed(b []byte) (write, read uint64) {
	_ = b[SizeofWriteRead-1]
	return order.Uint64(b[8:]), order.Uint64(b[32:])
}

// Version is struct binder_version.
type Version struct {
	ProtocolVersion int32
}

// Decode reads the structure from the first SizeofVersion bytes of b.
func (v *Version) Decode(b []byte) {
	_ = b[SizeofVersion-1]
	v.ProtocolVersion = int32(order.Uint32(b[0:]))
}

// Encode writes the structure to the first SizeofVersion bytes of b.
func (v *Version) Encode(b []byte) {
	_ = b[SizeofVersion-1]
	order.PutUint32(b[0:], uint32(v.ProtocolVersion))
}

// TransactionData is struct binder_transaction_data. Target is the handle (low 32
// bits) when sent and the node's ptr when received; Buffer and Offsets are
// addresses.
type TransactionData struct {
	Target      uint64
	Cookie      uint64
	Code        uint32
	Flags       TransactionFlags
	SenderPID   int32
	SenderEUID  uint32
	DataSize    uint64
	OffsetsSize uint64
	Buffer      uint64
	Offsets     uint64
}

// Decode reads the structure from the first SizeofTransactionData bytes of b.
func (v *TransactionData) Decode(b []byte) {
	_ = b[SizeofTransactionData-1]
	v.Target = order.Uint64(b[0:])
	v.Cookie = order.Uint64(b[8:])
	v.Code = order.Uint32(b[16:])
	v.Flags = TransactionFlags(order.Uint32(b[20:]))
	v.SenderPID = int32(order.Uint32(b[24:]))
	v.SenderEUID = order.Uint32(b[28:])
	v.DataSize = order.Uint64(b[32:])
	v.OffsetsSize = order.Uint64(b[40:])
	v.Buffer = order.Uint64(b[48:])
	v.Offsets = order.Uint64(b[56:])
}

// Encode writes the structure to the first SizeofTransactionData bytes of b.
func (v *TransactionData) Encode(b []byte) {
	_ = b[SizeofTransactionData-1]
	order.PutUint64(b[0:], v.Target)
	order.PutUint64(b[8:], v.Cookie)
	order.PutUint32(b[16:], v.Code)
	order.PutUint32(b[20:], uint32(v.Flags))
	order.PutUint32(b[24:], uint32(v.SenderPID))
	order.PutUint32(b[28:], v.SenderEUID)
	order.PutUint64(b[32:], v.DataSize)
	order.PutUint64(b[40:], v.OffsetsSize)
	order.PutUint64(b[48:], v.Buffer)
	order.PutUint64(b[56:], v.Offsets)
}

// PtrCookie is struct binder_ptr_cookie: a node as its owner knows it.
type PtrCookie struct {
	Ptr    uint64
	Cookie uint64
}

// Decode reads the structure from the first SizeofPtrCookie bytes of b.
func (v *PtrCookie) Decode(b []byte) {
	_ = b[SizeofPtrCookie-1]
	v.Ptr = order.Uint64(b[0:])
	v.Cookie = order.Uint64(b[8:])
}

// Encode writes the structure to the first SizeofPtrCookie bytes of b.
func (v *PtrCookie) Encode(b []byte) {
	_ = b[SizeofPtrCookie-1]
	order.PutUint64(b[0:], v.Ptr)
	order.PutUint64(b[8:], v.Cookie)
}

// PriDesc is struct binder_pri_desc.
type PriDesc struct {
	Priority int32
	Desc     uint32
}

// Decode reads the structure from the first SizeofPriDesc bytes of b.
func (v *PriDesc) Decode(b []byte) {
	_ = b[SizeofPriDesc-1]
	v.Priority = int32(order.Uint32(b[0:]))
	v.Desc = order.Uint32(b[4:])
}

// Encode writes the structure to the first SizeofPriDesc bytes of b.
func (v *PriDesc) Encode(b []byte) {
	_ = b[SizeofPriDesc-1]
	order.PutUint32(b[0:], uint32(v.Priority))
	order.PutUint32(b[4:], v.Desc)
}

// PriPtrCookie is struct binder_pri_ptr_cookie.
type PriPtrCookie struct {
	Priority int32
	_        uint32
	Ptr      uint64
	Cookie   uint64
}

// Decode reads the structure from the first SizeofPriPtrCookie bytes of b.
func (v *PriPtrCookie) Decode(b []byte) {
	_ = b[SizeofPriPtrCookie-1]
	v.Priority = int32(order.Uint32(b[0:]))
	v.Ptr = order.Uint64(b[8:])
	v.Cookie = order.Uint64(b[16:])
}

// Encode writes the structure to the first SizeofPriPtrCookie bytes of b.
func (v *PriPtrCookie) Encode(b []byte) {
	_ = b[SizeofPriPtrCookie-1]
	order.PutUint32(b[0:], uint32(v.Priority))
	order.PutUint32(b[4:], 0)
	order.PutUint64(b[8:], v.Ptr)
	order.PutUint64(b[16:], v.Cookie)
}

// NodeDebugInfo is struct binder_node_debug_info.
type NodeDebugInfo struct {
	Ptr          uint64
	Cookie       uint64
	HasStrongRef uint32
	HasWeakRef   uint32
}

// Decode reads the structure from the first SizeofNodeDebugInfo bytes of b.
func (v *NodeDebugInfo) Decode(b []byte) {
	_ = b[SizeofNodeDebugInfo-1]
	v.Ptr = order.Uint64(b[0:])
	v.Cookie = order.Uint64(b[8:])
	v.HasStrongRef = order.Uint32(b[16:])
	v.HasWeakRef = order.Uint32(b[20:])
}

// Encode writes the structure to the first SizeofNodeDebugInfo bytes of b.
func (v *NodeDebugInfo) Encode(b []byte) {
	_ = b[SizeofNodeDebugInfo-1]
	order.PutUint64(b[0:], v.Ptr)
	order.PutUint64(b[8:], v.Cookie)
	order.PutUint32(b[16:], v.HasStrongRef)
	order.PutUint32(b[20:], v.HasWeakRef)
}

// NodeInfoForRef is struct binder_node_info_for_ref. The reserved fields must be 0.
type NodeInfoForRef struct {
	Handle      uint32
	StrongCount uint32
	WeakCount   uint32
	Reserved1   uint32
	Reserved2   uint32
	Reserved3   uint32
}

// Decode reads the structure from the first SizeofNodeInfoForRef bytes of b.
func (v *NodeInfoForRef) Decode(b []byte) {
	_ = b[SizeofNodeInfoForRef-1]
	v.Handle = order.Uint32(b[0:])
	v.StrongCount = order.Uint32(b[4:])
	v.WeakCount = order.Uint32(b[8:])
	v.Reserved1 = order.Uint32(b[12:])
	v.Reserved2 = order.Uint32(b[16:])
	v.Reserved3 = order.Uint32(b[20:])
}

// Encode writes the structure to the first SizeofNodeInfoForRef bytes of b.
func (v *NodeInfoForRef) Encode(b []byte) {
	_ = b[SizeofNodeInfoForRef-1]
	order.PutUint32(b[0:], v.Handle)
	order.PutUint32(b[4:], v.StrongCount)
	order.PutUint32(b[8:], v.WeakCount)
	order.PutUint32(b[12:], v.Reserved1)
	order.PutUint32(b[16:], v.Reserved2)
	order.PutUint32(b[20:], v.Reserved3)
}

// FreezeInfo is struct binder_freeze_info.
type FreezeInfo struct {
	PID       uint32
	Enable    uint32
	TimeoutMS uint32
}

// Decode reads the structure from the first SizeofFreezeInfo bytes of b.
func (v *FreezeInfo) Decode(b []byte) {
	_ = b[SizeofFreezeInfo-1]
	v.PID = order.Uint32(b[0:])
	v.Enable = order.Uint32(b[4:])
	v.TimeoutMS = order.Uint32(b[8:])
}

// Encode writes the structure to the first SizeofFreezeInfo bytes of b.
func (v *FreezeInfo) Encode(b []byte) {
	_ = b[SizeofFreezeInfo-1]
	order.PutUint32(b[0:], v.PID)
	order.PutUint32(b[4:], v.Enable)
	order.PutUint32(b[8:], v.TimeoutMS)
}

// FrozenStatusInfo is struct binder_frozen_status_info. Bit 0 of SyncRecv: a call came
// while frozen; bit 1: transactions are pending.
type FrozenStatusInfo struct {
	PID       uint32
	SyncRecv  uint32
	AsyncRecv uint32
}

// Decode reads the structure from the first SizeofFrozenStatusInfo bytes of b.
func (v *FrozenStatusInfo) Decode(b []byte) {
	_ = b[SizeofFrozenStatusInfo-1]
	v.PID = order.Uint32(b[0:])
	v.SyncRecv = order.Uint32(b[4:])
	v.AsyncRecv = order.Uint32(b[8:])
}

// Encode writes the structure to the first SizeofFrozenStatusInfo bytes of b.
func (v *FrozenStatusInfo) Encode(b []byte) {
	_ = b[SizeofFrozenStatusInfo-1]
	order.PutUint32(b[0:], v.PID)
	order.PutUint32(b[4:], v.SyncRecv)
	order.PutUint32(b[8:], v.AsyncRecv)
}

// ExtendedError is struct binder_extended_error: why the thread's last command
// failed. Param is a negative errno.
type ExtendedError struct {
	ID      uint32
	Command uint32
	Param   int32
}

// Decode reads the structure from the first SizeofExtendedError bytes of b.
func (v *ExtendedError) Decode(b []byte) {
	_ = b[SizeofExtendedError-1]
	v.ID = order.Uint32(b[0:])
	v.Command = order.Uint32(b[4:])
	v.Param = int32(order.Uint32(b[8:]))
}

// Encode writes the structure to the first SizeofExtendedError bytes of b.
func (v *ExtendedError) Encode(b []byte) {
	_ = b[SizeofExtendedError-1]
	order.PutUint32(b[0:], v.ID)
	order.PutUint32(b[4:], v.Command)
	order.PutUint32(b[8:], uint32(v.Param))
}

// FrozenStateInfo is struct binder_frozen_state_info.
type FrozenStateInfo struct {
	Cookie   uint64
	IsFrozen uint32
	_        uint32
}

// Decode reads the structure from the first SizeofFrozenStateInfo bytes of b.
func (v *FrozenStateInfo) Decode(b []byte) {
	_ = b[SizeofFrozenStateInfo-1]
	v.Cookie = order.Uint64(b[0:])
	v.IsFrozen = order.Uint32(b[8:])
}

// Encode writes the structure to the first SizeofFrozenStateInfo bytes of b.
func (v *FrozenStateInfo) Encode(b []byte) {
	_ = b[SizeofFrozenStateInfo-1]
	order.PutUint64(b[0:], v.Cookie)
	order.PutUint32(b[8:], v.IsFrozen)
	order.PutUint32(b[12:], 0)
}

// FlatBinderObject is struct flat_binder_object. Binder is the node's ptr, or the
// handle in its low 32 bits.
type FlatBinderObject struct {
	Type   ObjectType
	Flags  ObjectFlags
	Binder uint64
	Cookie uint64
}

// Decode reads the structure from the first SizeofFlatBinderObject bytes of b.
func (v *FlatBinderObject) Decode(b []byte) {
	_ = b[SizeofFlatBinderObject-1]
	v.Type = ObjectType(order.Uint32(b[0:]))
	v.Flags = ObjectFlags(order.Uint32(b[4:]))
	v.Binder = order.Uint64(b[8:])
	v.Cookie = order.Uint64(b[16:])
}

// Encode writes the structure to the first SizeofFlatBinderObject bytes of b.
func (v *FlatBinderObject) Encode(b []byte) {
	_ = b[SizeofFlatBinderObject-1]
	order.PutUint32(b[0:], uint32(v.Type))
	order.PutUint32(b[4:], uint32(v.Flags))
	order.PutUint64(b[8:], v.Binder)
	order.PutUint64(b[16:], v.Cookie)
}

// FDObject is struct binder_fd_object: one file descriptor.
type FDObject struct {
	Type   ObjectType
	Flags  uint32
	FD     uint32
	_      uint32
	Cookie uint64
}

// Decode reads the structure from the first SizeofFDObject bytes of b.
func (v *FDObject) Decode(b []byte) {
	_ = b[SizeofFDObject-1]
	v.Type = ObjectType(order.Uint32(b[0:]))
	v.Flags = order.Uint32(b[4:])
	v.FD = order.Uint32(b[8:])
	v.Cookie = order.Uint64(b[16:])
}

// Encode writes the structure to the first SizeofFDObject bytes of b.
func (v *FDObject) Encode(b []byte) {
	_ = b[SizeofFDObject-1]
	order.PutUint32(b[0:], uint32(v.Type))
	order.PutUint32(b[4:], v.Flags)
	order.PutUint32(b[8:], v.FD)
	order.PutUint32(b[12:], 0)
	order.PutUint64(b[16:], v.Cookie)
}

// BufferObject is struct binder_buffer_object: bytes that travel beside the
// payload and whose address the driver writes into the parent buffer.
type BufferObject struct {
	Type         ObjectType
	Flags        uint32
	Buffer       uint64
	Length       uint64
	Parent       uint64
	ParentOffset uint64
}

// Decode reads the structure from the first SizeofBufferObject bytes of b.
func (v *BufferObject) Decode(b []byte) {
	_ = b[SizeofBufferObject-1]
	v.Type = ObjectType(order.Uint32(b[0:]))
	v.Flags = order.Uint32(b[4:])
	v.Buffer = order.Uint64(b[8:])
	v.Length = order.Uint64(b[16:])
	v.Parent = order.Uint64(b[24:])
	v.ParentOffset = order.Uint64(b[32:])
}

// Encode writes the structure to the first SizeofBufferObject bytes of b.
func (v *BufferObject) Encode(b []byte) {
	_ = b[SizeofBufferObject-1]
	order.PutUint32(b[0:], uint32(v.Type))
	order.PutUint32(b[4:], v.Flags)
	order.PutUint64(b[8:], v.Buffer)
	order.PutUint64(b[16:], v.Length)
	order.PutUint64(b[24:], v.Parent)
	order.PutUint64(b[32:], v.ParentOffset)
}

// FDArrayObject is struct binder_fd_array_object: descriptors inside a parent
// buffer.
type FDArrayObject struct {
	Type         ObjectType
	_            uint32
	NumFDs       uint64
	Parent       uint64
	ParentOffset uint64
}

// Decode reads the structure from the first SizeofFDArrayObject bytes of b.
func (v *FDArrayObject) Decode(b []byte) {
	_ = b[SizeofFDArrayObject-1]
	v.Type = ObjectType(order.Uint32(b[0:]))
	v.NumFDs = order.Uint64(b[8:])
	v.Parent = order.Uint64(b[16:])
	v.ParentOffset = order.Uint64(b[24:])
}

// Encode writes the structure to the first SizeofFDArrayObject bytes of b.
func (v *FDArrayObject) Encode(b []byte) {
	_ = b[SizeofFDArrayObject-1]
	order.PutUint32(b[0:], uint32(v.Type))
	order.PutUint32(b[4:], 0)
	order.PutUint64(b[8:], v.NumFDs)
	order.PutUint64(b[16:], v.Parent)
	order.PutUint64(b[24:], v.ParentOffset)
}

// TransactionDataSecCtx is struct binder_transaction_data_secctx: SecCtx is the
// address of the sender's security context.
type TransactionDataSecCtx struct {
	TransactionData
	SecCtx uint64
}

// Decode reads the structure from the first SizeofTransactionDataSecCtx bytes of b.
func (v *TransactionDataSecCtx) Decode(b []byte) {
	v.TransactionData.Decode(b)
	v.SecCtx = order.Uint64(b[SizeofTransactionData:])
}

// Encode writes the structure to the first SizeofTransactionDataSecCtx bytes of b.
func (v *TransactionDataSecCtx) Encode(b []byte) {
	v.TransactionData.Encode(b)
	order.PutUint64(b[SizeofTransactionData:], v.SecCtx)
}

// TransactionDataSG is struct binder_transaction_data_sg: BuffersSize is the room
// for buffer objects, in bytes.
type TransactionDataSG struct {
	TransactionData
	BuffersSize uint64
}

// Decode reads the structure from the first SizeofTransactionDataSG bytes of b.
func (v *TransactionDataSG) Decode(b []byte) {
	v.TransactionData.Decode(b)
	v.BuffersSize = order.Uint64(b[SizeofTransactionData:])
}

// Encode writes the structure to the first SizeofTransactionDataSG bytes of b.
func (v *TransactionDataSG) Encode(b []byte) {
	v.TransactionData.Encode(b)
	order.PutUint64(b[SizeofTransactionData:], v.BuffersSize)
}

// HandleCookie is struct binder_handle_cookie. The header packs it, so that
// the cookie starts at byte 4; Go keeps it as bytes for the same layout.
type HandleCookie struct {
	Handle uint32
	cookie [8]byte
}

// NewHandleCookie joins the two parts.
func NewHandleCookie(handle uint32, cookie uint64) HandleCookie {
	h := HandleCookie{Handle: handle}
	order.PutUint64(h.cookie[:], cookie)
	return h
}

// Cookie is the caller's own name for the request.
func (v *HandleCookie) Cookie() uint64 { return order.Uint64(v.cookie[:]) }

// Decode reads the structure from the first SizeofHandleCookie bytes of b.
func (v *HandleCookie) Decode(b []byte) {
	v.Handle = order.Uint32(b)
	copy(v.cookie[:], b[4:SizeofHandleCookie])
}

// Encode writes the structure to the first SizeofHandleCookie bytes of b.
func (v *HandleCookie) Encode(b []byte) {
	_ = b[SizeofHandleCookie-1]
	order.PutUint32(b, v.Handle)
	copy(b[4:], v.cookie[:])
}
