package parcel_test

import (
	"fmt"

	"ipcbench/ipc/binder/parcel"
)

func Example() {
	var p parcel.Parcel
	p.WriteInterfaceToken("org.example.IEcho")
	p.WriteString16("hello")
	p.WriteInt32(3)

	fmt.Println(p.EnforceInterface("org.example.IEcho"))
	text, _ := p.ReadString16()
	times, _ := p.ReadInt32()
	fmt.Println(text, times, p.Len())
	// Output:
	// <nil>
	// hello 3 72
}
