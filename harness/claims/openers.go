package claims

import "ipcbench/harness/claims/cast"

// Openers are the subjects for cast.Run, in a process that was started with
// cast.Argument.
func Openers(subjects []Subject) (openers []cast.Opener) {
	for _, s := range subjects {
		openers = append(openers, s)
	}
	return openers
}
