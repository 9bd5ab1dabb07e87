package abi

import (
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The numbers here were compiled from the kernel's header.
func TestNumbers(t *testing.T) {
	ioctls := map[Ioctl]uint32{
		BINDER_WRITE_READ: 0xC0306201, BINDER_SET_IDLE_TIMEOUT: 0x40086203, BINDER_SET_MAX_THREADS: 0x40046205,
		BINDER_SET_IDLE_PRIORITY: 0x40046206, BINDER_SET_CONTEXT_MGR: 0x40046207, BINDER_THREAD_EXIT: 0x40046208,
		BINDER_VERSION: 0xC0046209, BINDER_GET_NODE_DEBUG_INFO: 0xC018620B, BINDER_GET_NODE_INFO_FOR_REF: 0xC018620C,
		BINDER_SET_CONTEXT_MGR_EXT: 0x4018620D, BINDER_FREEZE: 0x400C620E, BINDER_GET_FROZEN_INFO: 0xC00C620F,
		BINDER_ENABLE_ONEWAY_SPAM_DETECTION: 0x40046210, BINDER_GET_EXTENDED_ERROR: 0xC00C6211,
	}
	commands := map[Command]uint32{
		BC_TRANSACTION: 0x40406300, BC_REPLY: 0x40406301, BC_ACQUIRE_RESULT: 0x40046302, BC_FREE_BUFFER: 0x40086303,
		BC_INCREFS: 0x40046304, BC_ACQUIRE: 0x40046305, BC_RELEASE: 0x40046306, BC_DECREFS: 0x40046307,
		BC_INCREFS_DONE: 0x40106308, BC_ACQUIRE_DONE: 0x40106309, BC_ATTEMPT_ACQUIRE: 0x4008630A,
		BC_REGISTER_LOOPER: 0x630B, BC_ENTER_LOOPER: 0x630C, BC_EXIT_LOOPER: 0x630D,
		BC_REQUEST_DEATH_NOTIFICATION: 0x400C630E, BC_CLEAR_DEATH_NOTIFICATION: 0x400C630F,
		BC_DEAD_BINDER_DONE: 0x40086310, BC_TRANSACTION_SG: 0x40486311, BC_REPLY_SG: 0x40486312,
		BC_REQUEST_FREEZE_NOTIFICATION: 0x400C6313, BC_CLEAR_FREEZE_NOTIFICATION: 0x400C6314, BC_FREEZE_NOTIFICATION_DONE: 0x40086315,
	}
	returns := map[Return]uint32{
		BR_ERROR: 0x80047200, BR_OK: 0x7201, BR_TRANSACTION: 0x80407202, BR_TRANSACTION_SEC_CTX: 0x80487202,
		BR_REPLY: 0x80407203, BR_ACQUIRE_RESULT: 0x80047204, BR_DEAD_REPLY: 0x7205, BR_TRANSACTION_COMPLETE: 0x7206,
		BR_INCREFS: 0x80107207, BR_ACQUIRE: 0x80107208, BR_RELEASE: 0x80107209, BR_DECREFS: 0x8010720A,
		BR_ATTEMPT_ACQUIRE: 0x8018720B, BR_NOOP: 0x720C, BR_SPAWN_LOOPER: 0x720D, BR_FINISHED: 0x720E,
		BR_DEAD_BINDER: 0x8008720F, BR_CLEAR_DEATH_NOTIFICATION_DONE: 0x80087210, BR_FAILED_REPLY: 0x7211,
		BR_FROZEN_REPLY: 0x7212, BR_ONEWAY_SPAM_SUSPECT: 0x7213, BR_TRANSACTION_PENDING_FROZEN: 0x7214,
		BR_FROZEN_BINDER: 0x80107215, BR_CLEAR_FREEZE_NOTIFICATION_DONE: 0x80087216,
	}
	objects := map[ObjectType]uint32{
		BINDER_TYPE_BINDER: 0x73622A85, BINDER_TYPE_WEAK_BINDER: 0x77622A85, BINDER_TYPE_HANDLE: 0x73682A85,
		BINDER_TYPE_WEAK_HANDLE: 0x77682A85, BINDER_TYPE_FD: 0x66642A85, BINDER_TYPE_FDA: 0x66646185, BINDER_TYPE_PTR: 0x70742A85,
	}
	checkNumbers(t, ioctls, len(ioctlNames))
	checkNumbers(t, commands, len(commandNames))
	checkNumbers(t, returns, len(returnNames))
	checkNumbers(t, objects, len(objectNames))
}

func checkNumbers[C ~uint32](t *testing.T, want map[C]uint32, all int) {
	t.Helper()
	if len(want) != all {
		t.Errorf("%d numbers are checked, %d are defined", len(want), all)
	}
	for got, n := range want {
		if uint32(got) != n {
			t.Errorf("%#x, the header has %#x", uint32(got), n)
		}
	}
}

func TestNumbering(t *testing.T) {
	for n := range Commands {
		if c := CommandByNumber(n); c.Number() != n || !c.Known() {
			t.Errorf("%v: number %d, known %v; want %d, true", c, c.Number(), c.Known(), n)
		}
	}
	for n := range Returns {
		if r := ReturnByNumber(n); r.Number() != n {
			t.Errorf("%v: number %d, want %d", r, r.Number(), n)
		}
	}
	for _, c := range []Command{0, BC_TRANSACTION ^ 1<<20, Commands, 0xff} {
		if c.Known() {
			t.Errorf("%v is known", c)
		}
	}
	if got := Command(0x42).String(); got != "0x42" {
		t.Errorf("unknown command is called %q", got)
	}
	if got := BR_SPAWN_LOOPER.String(); got != "BR_SPAWN_LOOPER" {
		t.Errorf("BR_SPAWN_LOOPER is called %q", got)
	}
}

func TestStreamRoundTrip(t *testing.T) {
	buf := make([]byte, 512)
	e := NewEncoder[Command](buf)
	tr := TransactionDataSG{TransactionData: TransactionData{Target: 7, Cookie: 8, Code: 9, Flags: TF_ACCEPT_FDS, SenderPID: -1,
		SenderEUID: 10, DataSize: 11, OffsetsSize: 12, Buffer: 13, Offsets: 14}, BuffersSize: 15}
	e.Code(BC_ENTER_LOOPER)
	e.Uint32(BC_ACQUIRE, 3)
	e.Uint64(BC_FREE_BUFFER, 1<<40)
	e.HandleCookie(BC_REQUEST_DEATH_NOTIFICATION, NewHandleCookie(5, 1<<50|6))
	e.PtrCookie(BC_ACQUIRE_DONE, PtrCookie{1, 2})
	e.TransactionSG(BC_TRANSACTION_SG, &tr)
	if e.Err() != nil {
		t.Fatal(e.Err())
	}
	d := NewDecoder[Command](e.Bytes())
	next := func(want Command) []byte {
		c, p, err := d.Next()
		if err != nil || c != want {
			t.Fatalf("got %v, %v; want %v", c, err, want)
		}
		return p
	}
	next(BC_ENTER_LOOPER)
	if h := Uint32(next(BC_ACQUIRE)); h != 3 {
		t.Errorf("handle %d", h)
	}
	if a := Uint64(next(BC_FREE_BUFFER)); a != 1<<40 {
		t.Errorf("address %#x", a)
	}
	var hc HandleCookie
	hc.Decode(next(BC_REQUEST_DEATH_NOTIFICATION))
	if hc.Handle != 5 || hc.Cookie() != 1<<50|6 {
		t.Errorf("handle %d, cookie %#x", hc.Handle, hc.Cookie())
	}
	next(BC_ACQUIRE_DONE)
	var got TransactionDataSG
	got.Decode(next(BC_TRANSACTION_SG))
	if diff := cmp.Diff(tr, got); diff != "" {
		t.Error(diff)
	}
	if _, _, err := d.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestEncoderWithoutRoom(t *testing.T) {
	e := NewEncoder[Return](make([]byte, 10))
	e.Code(BR_NOOP)
	e.Uint64(BR_DEAD_BINDER, 1)
	if !errors.Is(e.Err(), ErrNoRoom) || e.Len() != 4 {
		t.Errorf("error %v, length %d", e.Err(), e.Len())
	}
}

func TestDecoderTruncated(t *testing.T) {
	e := NewEncoder[Command](make([]byte, 100))
	e.Uint64(BC_FREE_BUFFER, 1)
	for n := 1; n < e.Len(); n++ {
		d := NewDecoder[Command](e.Bytes()[:n])
		if _, _, err := d.Next(); !errors.Is(err, ErrTruncated) || d.Offset() != 0 {
			t.Errorf("%d bytes: %v, offset %d", n, err, d.Offset())
		}
	}
}

func TestCodecDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 512)
	var tr TransactionData
	n := testing.AllocsPerRun(100, func() {
		e := NewEncoder[Command](buf)
		e.Transaction(BC_TRANSACTION, &tr)
		e.Uint64(BC_FREE_BUFFER, 1)
		d := NewDecoder[Command](e.Bytes())
		_, p, _ := d.Next()
		tr.Decode(p)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzDecoder: whatever the bytes, the decoder advances, stays inside, and
// what it returns encodes to the bytes it read.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{0x0c, 0x72, 0, 0})
	f.Add([]byte{0x03, 0x63, 0x08, 0x40, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, stream []byte) {
		d := NewDecoder[Command](stream)
		for {
			before := d.Offset()
			c, p, err := d.Next()
			if err != nil {
				if d.Offset() != before {
					t.Fatalf("%v, yet %d bytes consumed", err, d.Offset()-before)
				}
				return
			}
			if d.Offset() != before+4+len(p) || len(p) != c.PayloadSize() {
				t.Fatalf("%v: %d bytes consumed, payload %d", c, d.Offset()-before, len(p))
			}
			if len(p) == SizeofTransactionData {
				var tr TransactionData
				var back [SizeofTransactionData]byte
				tr.Decode(p)
				tr.Encode(back[:])
				if diff := cmp.Diff(p, back[:]); diff != "" {
					t.Fatal(diff)
				}
			}
		}
	})
}
