package abi

import "unsafe"

// Each line compiles only if the two sizes are equal: the index is then 0, and
// anything else is outside the array or negative.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(WriteRead{})-SizeofWriteRead]
	_ = [1]struct{}{}[unsafe.Sizeof(Version{})-SizeofVersion]
	_ = [1]struct{}{}[unsafe.Sizeof(TransactionData{})-SizeofTransactionData]
	_ = [1]struct{}{}[unsafe.Sizeof(PtrCookie{})-SizeofPtrCookie]
	_ = [1]struct{}{}[unsafe.Sizeof(PriDesc{})-SizeofPriDesc]
	_ = [1]struct{}{}[unsafe.Sizeof(PriPtrCookie{})-SizeofPriPtrCookie]
	_ = [1]struct{}{}[unsafe.Sizeof(NodeDebugInfo{})-SizeofNodeDebugInfo]
	_ = [1]struct{}{}[unsafe.Sizeof(NodeInfoForRef{})-SizeofNodeInfoForRef]
	_ = [1]struct{}{}[unsafe.Sizeof(FreezeInfo{})-SizeofFreezeInfo]
	_ = [1]struct{}{}[unsafe.Sizeof(FrozenStatusInfo{})-SizeofFrozenStatusInfo]
	_ = [1]struct{}{}[unsafe.Sizeof(ExtendedError{})-SizeofExtendedError]
	_ = [1]struct{}{}[unsafe.Sizeof(FrozenStateInfo{})-SizeofFrozenStateInfo]
	_ = [1]struct{}{}[unsafe.Sizeof(FlatBinderObject{})-SizeofFlatBinderObject]
	_ = [1]struct{}{}[unsafe.Sizeof(FDObject{})-SizeofFDObject]
	_ = [1]struct{}{}[unsafe.Sizeof(BufferObject{})-SizeofBufferObject]
	_ = [1]struct{}{}[unsafe.Sizeof(FDArrayObject{})-SizeofFDArrayObject]
	_ = [1]struct{}{}[unsafe.Sizeof(TransactionDataSecCtx{})-SizeofTransactionDataSecCtx]
	_ = [1]struct{}{}[unsafe.Sizeof(TransactionDataSG{})-SizeofTransactionDataSG]
	_ = [1]struct{}{}[unsafe.Sizeof(HandleCookie{})-SizeofHandleCookie]
)

// The offsets that sizes alone do not fix.
var (
	_ = [1]struct{}{}[unsafe.Offsetof(TransactionData{}.DataSize)-32]
	_ = [1]struct{}{}[unsafe.Offsetof(HandleCookie{}.cookie)-4]
	_ = [1]struct{}{}[unsafe.Offsetof(FDObject{}.Cookie)-16]
	_ = [1]struct{}{}[unsafe.Offsetof(BufferObject{}.Parent)-24]
	_ = [1]struct{}{}[unsafe.Offsetof(FDArrayObject{}.ParentOffset)-24]
	_ = [1]struct{}{}[unsafe.Offsetof(TransactionDataSG{}.BuffersSize)-64]
)
