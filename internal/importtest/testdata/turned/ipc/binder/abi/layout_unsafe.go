package abi

import "unsafe"

const _ = unsafe.Sizeof(0)

var _ unsafe.Pointer
