package abi

// Command is a BC_ code: what a process writes to the driver.
type Command uint32

// Letter of the codes without payload, and with direction of those that have one.
const (
	bc  = 'c' << letterShift
	bcw = dirWrite<<dirShift | bc
)

// The commands, with the payload that follows each.
const (
	BC_TRANSACTION                 Command = bcw | SizeofTransactionData<<sizeShift     // TransactionData
	BC_REPLY                       Command = bcw | SizeofTransactionData<<sizeShift | 1 // TransactionData
	BC_ACQUIRE_RESULT              Command = bcw | 4<<sizeShift | 2                     // int32; refused by every driver
	BC_FREE_BUFFER                 Command = bcw | 8<<sizeShift | 3                     // uint64, address of the buffer
	BC_INCREFS                     Command = bcw | 4<<sizeShift | 4                     // uint32, handle
	BC_ACQUIRE                     Command = bcw | 4<<sizeShift | 5                     // uint32, handle
	BC_RELEASE                     Command = bcw | 4<<sizeShift | 6                     // uint32, handle
	BC_DECREFS                     Command = bcw | 4<<sizeShift | 7                     // uint32, handle
	BC_INCREFS_DONE                Command = bcw | SizeofPtrCookie<<sizeShift | 8       // PtrCookie
	BC_ACQUIRE_DONE                Command = bcw | SizeofPtrCookie<<sizeShift | 9       // PtrCookie
	BC_ATTEMPT_ACQUIRE             Command = bcw | SizeofPriDesc<<sizeShift | 10        // PriDesc; refused by every driver
	BC_REGISTER_LOOPER             Command = bc | 11
	BC_ENTER_LOOPER                Command = bc | 12
	BC_EXIT_LOOPER                 Command = bc | 13
	BC_REQUEST_DEATH_NOTIFICATION  Command = bcw | SizeofHandleCookie<<sizeShift | 14      // HandleCookie
	BC_CLEAR_DEATH_NOTIFICATION    Command = bcw | SizeofHandleCookie<<sizeShift | 15      // HandleCookie
	BC_DEAD_BINDER_DONE            Command = bcw | 8<<sizeShift | 16                       // uint64, cookie
	BC_TRANSACTION_SG              Command = bcw | SizeofTransactionDataSG<<sizeShift | 17 // TransactionDataSG
	BC_REPLY_SG                    Command = bcw | SizeofTransactionDataSG<<sizeShift | 18 // TransactionDataSG
	BC_REQUEST_FREEZE_NOTIFICATION Command = bcw | SizeofHandleCookie<<sizeShift | 19      // HandleCookie, since 6.12
	BC_CLEAR_FREEZE_NOTIFICATION   Command = bcw | SizeofHandleCookie<<sizeShift | 20      // HandleCookie, since 6.12
	BC_FREEZE_NOTIFICATION_DONE    Command = bcw | 8<<sizeShift | 21                       // uint64, cookie, since 6.12
)

var commandNames = map[Command]string{
	BC_TRANSACTION:                 "BC_TRANSACTION",
	BC_REPLY:                       "BC_REPLY",
	BC_ACQUIRE_RESULT:              "BC_ACQUIRE_RESULT",
	BC_FREE_BUFFER:                 "BC_FREE_BUFFER",
	BC_INCREFS:                     "BC_INCREFS",
	BC_ACQUIRE:                     "BC_ACQUIRE",
	BC_RELEASE:                     "BC_RELEASE",
	BC_DECREFS:                     "BC_DECREFS",
	BC_INCREFS_DONE:                "BC_INCREFS_DONE",
	BC_ACQUIRE_DONE:                "BC_ACQUIRE_DONE",
	BC_ATTEMPT_ACQUIRE:             "BC_ATTEMPT_ACQUIRE",
	BC_REGISTER_LOOPER:             "BC_REGISTER_LOOPER",
	BC_ENTER_LOOPER:                "BC_ENTER_LOOPER",
	BC_EXIT_LOOPER:                 "BC_EXIT_LOOPER",
	BC_REQUEST_DEATH_NOTIFICATION:  "BC_REQUEST_DEATH_NOTIFICATION",
	BC_CLEAR_DEATH_NOTIFICATION:    "BC_CLEAR_DEATH_NOTIFICATION",
	BC_DEAD_BINDER_DONE:            "BC_DEAD_BINDER_DONE",
	BC_TRANSACTION_SG:              "BC_TRANSACTION_SG",
	BC_REPLY_SG:                    "BC_REPLY_SG",
	BC_REQUEST_FREEZE_NOTIFICATION: "BC_REQUEST_FREEZE_NOTIFICATION",
	BC_CLEAR_FREEZE_NOTIFICATION:   "BC_CLEAR_FREEZE_NOTIFICATION",
	BC_FREEZE_NOTIFICATION_DONE:    "BC_FREEZE_NOTIFICATION_DONE",
}

// String is the header's name of the command, or its number in hexadecimal.
func (c Command) String() string { return name(commandNames, c) }

// Number counts the commands from 0 in the header's order; statistics are
// kept by it. It is meaningful only for known commands.
func (c Command) Number() int { return int(c & (1<<numberBits - 1)) }

// Known says whether the command is one of the header's.
func (c Command) Known() bool { return c.Number() < Commands && commands[c.Number()] == c }

// PayloadSize is the number of bytes that follow the command's code.
func (c Command) PayloadSize() int { return payloadSize(uint32(c)) }

// Commands is the number of known commands.
const Commands = 22

var commands = [Commands]Command{
	BC_TRANSACTION,
	BC_REPLY,
	BC_ACQUIRE_RESULT,
	BC_FREE_BUFFER,
	BC_INCREFS,
	BC_ACQUIRE,
	BC_RELEASE,
	BC_DECREFS,
	BC_INCREFS_DONE,
	BC_ACQUIRE_DONE,
	BC_ATTEMPT_ACQUIRE,
	BC_REGISTER_LOOPER,
	BC_ENTER_LOOPER,
	BC_EXIT_LOOPER,
	BC_REQUEST_DEATH_NOTIFICATION,
	BC_CLEAR_DEATH_NOTIFICATION,
	BC_DEAD_BINDER_DONE,
	BC_TRANSACTION_SG,
	BC_REPLY_SG,
	BC_REQUEST_FREEZE_NOTIFICATION,
	BC_CLEAR_FREEZE_NOTIFICATION,
	BC_FREEZE_NOTIFICATION_DONE,
}

// CommandByNumber is the command whose Number is n, in [0, Commands).
func CommandByNumber(n int) Command { return commands[n] }
