// Package servicemanager is the name service of Binder: the object behind
// handle 0, where servers register under a name and clients look them up. It
// speaks the wire encoding of Android's android.os.IServiceManager, so its
// client works with Android's own service manager, and clients of Android's
// with its server.
//
// Of the interface it has getService, checkService, addService and
// listServices. Known gaps: registration callbacks, lazy services and VINTF
// declarations are answered with UNKNOWN_TRANSACTION, as are the calls that
// return a Service union (Android 15 and later). Who may register and look up
// is decided by a Policy, where Android asks SELinux.
package servicemanager

import "ipcbench/ipc/binder"

// Descriptor is the name of the interface.
const Descriptor = "android.os.IServiceManager"

// Release is the Android release whose transaction codes are used: the
// interface has no stable ones.
type Release int

// The releases that differ. Earlier ones are numbered like Android14.
const (
	Android14 Release = 14
	Android15 Release = 15
	Android16 Release = 16
)

// codes are the transaction codes of a release.
type codes struct{ get, check, add, list uint32 }

func (r Release) codes() codes {
	const first = binder.FirstCallTransaction
	switch {
	case r <= Android14:
		return codes{get: first, check: first + 1, add: first + 2, list: first + 3}
	case r == Android15: // getService2 stands behind getService
		return codes{get: first, check: first + 2, add: first + 3, list: first + 4}
	}
	// checkService2 stands behind checkService
	return codes{get: first, check: first + 2, add: first + 4, list: first + 5}
}

// Dump priorities of a service, bits of a mask.
const (
	PriorityCritical int32 = 1
	PriorityHigh     int32 = 2
	PriorityNormal   int32 = 4
	PriorityDefault  int32 = 8
	PriorityAll            = PriorityCritical | PriorityHigh | PriorityNormal | PriorityDefault
)

// maxName is the longest name of a service, in bytes.
const maxName = 127

// validName says whether Android would take the name.
func validName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '_', c == '-', c == '.', c == '/':
		default:
			return false
		}
	}
	return true
}
