package parcel

import (
	"errors"
	"fmt"
)

// ExceptionCode says what kind of exception a reply carries.
type ExceptionCode int32

// The codes of Android's Parcel.
const (
	ExceptionNone                 ExceptionCode = 0
	ExceptionSecurity             ExceptionCode = -1
	ExceptionBadParcelable        ExceptionCode = -2
	ExceptionIllegalArgument      ExceptionCode = -3
	ExceptionNullPointer          ExceptionCode = -4
	ExceptionIllegalState         ExceptionCode = -5
	ExceptionNetworkMainThread    ExceptionCode = -6
	ExceptionUnsupportedOperation ExceptionCode = -7
	ExceptionServiceSpecific      ExceptionCode = -8

	// exceptionHasReplyHeader stands before the exception proper and is
	// followed by a header of its own size.
	exceptionHasReplyHeader ExceptionCode = -128
)

var exceptionNames = map[ExceptionCode]string{
	ExceptionSecurity:             "security",
	ExceptionBadParcelable:        "bad parcelable",
	ExceptionIllegalArgument:      "illegal argument",
	ExceptionNullPointer:          "null pointer",
	ExceptionIllegalState:         "illegal state",
	ExceptionNetworkMainThread:    "network on main thread",
	ExceptionUnsupportedOperation: "unsupported operation",
	ExceptionServiceSpecific:      "service specific",
}

// String names the code.
func (c ExceptionCode) String() string {
	if name, ok := exceptionNames[c]; ok {
		return name
	}
	return fmt.Sprintf("exception %d", int32(c))
}

// Exception is an error that a service reports inside a reply that arrived, as
// AIDL interfaces do.
type Exception struct {
	Code    ExceptionCode
	Message string
	// Specific is the service's own code, of ExceptionServiceSpecific.
	Specific int32
}

// Error says what and why.
func (e *Exception) Error() string {
	if e.Code == ExceptionServiceSpecific {
		return fmt.Sprintf("%v exception %d: %s", e.Code, e.Specific, e.Message)
	}
	return fmt.Sprintf("%v exception: %s", e.Code, e.Message)
}

// Is makes two exceptions of the same kind equal to errors.Is, whatever their
// messages.
func (e *Exception) Is(target error) bool {
	t, ok := target.(*Exception)
	return ok && t.Code == e.Code && t.Specific == e.Specific
}

// WriteNoException begins the reply of a call that went well; results follow.
func (p *Parcel) WriteNoException() { p.WriteInt32(int32(ExceptionNone)) }

// WriteException makes e the reply.
func (p *Parcel) WriteException(e *Exception) {
	p.WriteInt32(int32(e.Code))
	p.WriteString16(e.Message)
	p.WriteInt32(0) // size of the remote stack trace
	if e.Code == ExceptionServiceSpecific {
		p.WriteInt32(e.Specific)
	}
}

// ReadException reads how a call went. It returns nil when results follow, an
// *Exception when the service reported one, or an error of reading.
func (p *Parcel) ReadException() error {
	code, err := p.readExceptionCode()
	if err != nil {
		return fmt.Errorf("exception: %w", err)
	}
	if code == ExceptionNone {
		return nil
	}
	e := &Exception{Code: code}
	if e.Message, err = p.ReadString16(); err != nil && !errors.Is(err, ErrNull) {
		return fmt.Errorf("exception: %w", err)
	}
	if err := p.skipSized(); err != nil {
		return fmt.Errorf("exception's stack trace: %w", err)
	}
	if code == ExceptionServiceSpecific {
		if e.Specific, err = p.ReadInt32(); err != nil {
			return fmt.Errorf("exception: %w", err)
		}
	}
	return e
}

func (p *Parcel) readExceptionCode() (ExceptionCode, error) {
	code, err := p.ReadInt32()
	if err != nil || ExceptionCode(code) != exceptionHasReplyHeader {
		return ExceptionCode(code), err
	}
	if err := p.skipSized(); err != nil {
		return 0, err
	}
	// With a reply header there is no exception (libbinder, Status.cpp).
	return ExceptionNone, nil
}

// skipSized skips a part that begins with its own size in bytes, that word
// included. A size of 0 stands for the word alone.
func (p *Parcel) skipSized() error {
	start := p.pos
	size, err := p.ReadInt32()
	if err != nil {
		return err
	}
	if size == 0 {
		return nil
	}
	if size < 4 || int(size) > len(p.data)-start {
		return fmt.Errorf("%w: a part of %d bytes", ErrShort, size)
	}
	p.pos = start + int(size)
	return nil
}
