package parcel

import "fmt"

// What stands before the descriptor in an interface token.
const (
	strictModePenaltyGather = 0x80000000
	unsetWorkSource         = -1
	headerSystem            = 0x53595354 // 'SYST': system processes of Android
	headerVendor            = 0x564E4452 // 'VNDR': vendor processes
	headerRecovery          = 0x52454356 // 'RECV': the recovery system
	headerUnknown           = 0x554E4B4E // 'UNKN': libbinder off Android
)

// WriteInterfaceToken appends the header with which every call of an interface
// begins: strict-mode policy, work source, the kind of system, and the
// interface's descriptor.
func (p *Parcel) WriteInterfaceToken(descriptor string) {
	p.WriteUint32(strictModePenaltyGather)
	p.WriteInt32(unsetWorkSource)
	p.WriteUint32(headerSystem)
	p.WriteString16(descriptor)
}

// EnforceInterface reads an interface token and compares its descriptor. A call
// that is meant for another interface wraps ErrInvalid. Unlike libbinder, which
// knows only the header it was built for, it takes any of the known ones.
func (p *Parcel) EnforceInterface(descriptor string) error {
	if _, err := p.next(8); err != nil {
		return fmt.Errorf("interface token: %w", err)
	}
	header, err := p.ReadUint32()
	if err != nil {
		return fmt.Errorf("interface token: %w", err)
	}
	switch header {
	case headerSystem, headerVendor, headerRecovery, headerUnknown:
	default:
		return fmt.Errorf("interface token: %w: header %#x", ErrInvalid, header)
	}
	same, err := p.equalString16(descriptor)
	if err != nil {
		return fmt.Errorf("interface token: %w", err)
	}
	if !same {
		return fmt.Errorf("interface token: %w: not %s", ErrInvalid, descriptor)
	}
	return nil
}
