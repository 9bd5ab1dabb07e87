package abi

// Return is a BR_ code: what the driver lets a process read.
type Return uint32

// Letter of the codes without payload, and with direction of those that have one.
const (
	br  = 'r' << letterShift
	brr = dirRead<<dirShift | br
)

// The returns, with the payload that follows each.
const (
	BR_ERROR                          Return = brr | 4<<sizeShift // int32; the C driver leaves the payload out
	BR_OK                             Return = br | 1
	BR_TRANSACTION                    Return = brr | SizeofTransactionData<<sizeShift | 2       // TransactionData
	BR_TRANSACTION_SEC_CTX            Return = brr | SizeofTransactionDataSecCtx<<sizeShift | 2 // TransactionDataSecCtx
	BR_REPLY                          Return = brr | SizeofTransactionData<<sizeShift | 3       // TransactionData
	BR_ACQUIRE_RESULT                 Return = brr | 4<<sizeShift | 4                           // int32, never sent
	BR_DEAD_REPLY                     Return = br | 5
	BR_TRANSACTION_COMPLETE           Return = br | 6
	BR_INCREFS                        Return = brr | SizeofPtrCookie<<sizeShift | 7     // PtrCookie
	BR_ACQUIRE                        Return = brr | SizeofPtrCookie<<sizeShift | 8     // PtrCookie
	BR_RELEASE                        Return = brr | SizeofPtrCookie<<sizeShift | 9     // PtrCookie
	BR_DECREFS                        Return = brr | SizeofPtrCookie<<sizeShift | 10    // PtrCookie
	BR_ATTEMPT_ACQUIRE                Return = brr | SizeofPriPtrCookie<<sizeShift | 11 // PriPtrCookie, never sent
	BR_NOOP                           Return = br | 12
	BR_SPAWN_LOOPER                   Return = br | 13
	BR_FINISHED                       Return = br | 14                 // never sent
	BR_DEAD_BINDER                    Return = brr | 8<<sizeShift | 15 // uint64, cookie
	BR_CLEAR_DEATH_NOTIFICATION_DONE  Return = brr | 8<<sizeShift | 16 // uint64, cookie
	BR_FAILED_REPLY                   Return = br | 17
	BR_FROZEN_REPLY                   Return = br | 18                                     // since 5.13
	BR_ONEWAY_SPAM_SUSPECT            Return = br | 19                                     // since 5.13
	BR_TRANSACTION_PENDING_FROZEN     Return = br | 20                                     // since 6.3
	BR_FROZEN_BINDER                  Return = brr | SizeofFrozenStateInfo<<sizeShift | 21 // FrozenStateInfo, since 6.12
	BR_CLEAR_FREEZE_NOTIFICATION_DONE Return = brr | 8<<sizeShift | 22                     // uint64, cookie, since 6.12
)

var returnNames = map[Return]string{
	BR_ERROR:                          "BR_ERROR",
	BR_OK:                             "BR_OK",
	BR_TRANSACTION:                    "BR_TRANSACTION",
	BR_TRANSACTION_SEC_CTX:            "BR_TRANSACTION_SEC_CTX",
	BR_REPLY:                          "BR_REPLY",
	BR_ACQUIRE_RESULT:                 "BR_ACQUIRE_RESULT",
	BR_DEAD_REPLY:                     "BR_DEAD_REPLY",
	BR_TRANSACTION_COMPLETE:           "BR_TRANSACTION_COMPLETE",
	BR_INCREFS:                        "BR_INCREFS",
	BR_ACQUIRE:                        "BR_ACQUIRE",
	BR_RELEASE:                        "BR_RELEASE",
	BR_DECREFS:                        "BR_DECREFS",
	BR_ATTEMPT_ACQUIRE:                "BR_ATTEMPT_ACQUIRE",
	BR_NOOP:                           "BR_NOOP",
	BR_SPAWN_LOOPER:                   "BR_SPAWN_LOOPER",
	BR_FINISHED:                       "BR_FINISHED",
	BR_DEAD_BINDER:                    "BR_DEAD_BINDER",
	BR_CLEAR_DEATH_NOTIFICATION_DONE:  "BR_CLEAR_DEATH_NOTIFICATION_DONE",
	BR_FAILED_REPLY:                   "BR_FAILED_REPLY",
	BR_FROZEN_REPLY:                   "BR_FROZEN_REPLY",
	BR_ONEWAY_SPAM_SUSPECT:            "BR_ONEWAY_SPAM_SUSPECT",
	BR_TRANSACTION_PENDING_FROZEN:     "BR_TRANSACTION_PENDING_FROZEN",
	BR_FROZEN_BINDER:                  "BR_FROZEN_BINDER",
	BR_CLEAR_FREEZE_NOTIFICATION_DONE: "BR_CLEAR_FREEZE_NOTIFICATION_DONE",
}

// String is the header's name of the return, or its number in hexadecimal.
func (r Return) String() string { return name(returnNames, r) }

// Number counts the returns from 0 in the header's order; statistics are kept
// by it. BR_TRANSACTION_SEC_CTX shares the number of BR_TRANSACTION.
func (r Return) Number() int { return int(r & (1<<numberBits - 1)) }

// PayloadSize is the number of bytes that follow the return's code.
func (r Return) PayloadSize() int { return payloadSize(uint32(r)) }

// Returns is the number of known returns, the two that share a number
// counted once.
const Returns = 23

var returns = [Returns]Return{
	BR_ERROR,
	BR_OK,
	BR_TRANSACTION,
	BR_REPLY,
	BR_ACQUIRE_RESULT,
	BR_DEAD_REPLY,
	BR_TRANSACTION_COMPLETE,
	BR_INCREFS,
	BR_ACQUIRE,
	BR_RELEASE,
	BR_DECREFS,
	BR_ATTEMPT_ACQUIRE,
	BR_NOOP,
	BR_SPAWN_LOOPER,
	BR_FINISHED,
	BR_DEAD_BINDER,
	BR_CLEAR_DEATH_NOTIFICATION_DONE,
	BR_FAILED_REPLY,
	BR_FROZEN_REPLY,
	BR_ONEWAY_SPAM_SUSPECT,
	BR_TRANSACTION_PENDING_FROZEN,
	BR_FROZEN_BINDER,
	BR_CLEAR_FREEZE_NOTIFICATION_DONE,
}

// ReturnByNumber is the return whose Number is n, in [0, Returns).
func ReturnByNumber(n int) Return { return returns[n] }
