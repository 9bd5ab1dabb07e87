package evidence

import (
	"fmt"

	"ipcbench/ipc/copies"
)

// minTold is the payload, in bytes, from which its copies are told from the rest:
// some hundred bytes an operation of system calls' arguments, and up to two pages a
// message that were asked for beyond its end, since a pipe asks for whole pages.
const minTold = 48 << 10

// CheckKernelCopies compares the bytes that the kernel's copy functions were asked
// for with the copies that the ledgers of both sides put down to system calls. They
// agree where both are the same number of copies, to the nearest half.
//
// Counted and Ledger have "copies", per direction; Counted has besides, for each
// function that was called, "FUNCTION_calls_per_op" and "FUNCTION_bytes_per_op".
func CheckKernelCopies(c *KernelCopies, ledger copies.Report, operations uint64) Finding {
	delivered := ledger.Delivered[copies.Request] + ledger.Delivered[copies.Reply]
	messages := ledger.Messages[copies.Request] + ledger.Messages[copies.Reply]
	if messages == 0 || operations == 0 || delivered/messages < minTold {
		return Finding{Status: NotApplicable, Detail: fmt.Sprintf(
			"copies of a payload of less than %d bytes are not told from what is asked for besides", minTold)}
	}
	f := Finding{Status: Agrees, Counted: map[string]float64{}, Ledger: map[string]float64{}}
	var copied, told uint64
	for name, sum := range c.Functions {
		if sum.Calls > 0 {
			f.Counted[name+"_calls_per_op"] = float64(sum.Calls) / float64(operations)
			f.Counted[name+"_bytes_per_op"] = float64(sum.Bytes) / float64(operations)
		}
		copied += sum.Bytes
	}
	for _, n := range kernelBytes(ledger) {
		told += n
	}
	f.Counted["copies"] = wholeCopies(copied, delivered)
	f.Ledger["copies"] = wholeCopies(told, delivered)
	if f.Counted["copies"] != f.Ledger["copies"] {
		f.Status = Disagrees
		f.Detail = fmt.Sprintf("the kernel copied %.2f times what was delivered, the ledger says %.2f",
			float64(copied)/float64(delivered), float64(told)/float64(delivered))
	}
	return f
}

// wholeCopies is how often the bytes delivered were copied, to the nearest half: a
// copy in one direction alone is half a copy a direction.
func wholeCopies(copied, delivered uint64) float64 {
	return float64((4*copied+delivered)/(2*delivered)) / 2
}
