package claims

import (
	"encoding/binary"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
)

func init() {
	held, fell := fate{Happened: "x"}, fate{Fell: true, Happened: "x"}
	of := func(all ...attack) attackNumbers { return attackNumbers{all} }
	rewrite := attack{Name: "rewrite", Binder: held, Shm: fell}
	register("C9",
		example{"all held, shm fell", of(rewrite, attack{Name: "raw", Raw: true, Binder: held, Shm: fell}), Supported},
		example{"raw memory fell", of(rewrite, attack{Name: "raw", Raw: true, Binder: fell, Shm: fell}), Conditional},
		example{"the interface fell", of(rewrite, attack{Name: "forge", Binder: fell, Shm: fell}), Refuted},
		example{"shm held, too", of(attack{Name: "rewrite", Binder: held, Shm: held}), Refuted},
		example{"nothing tried", of(attack{Name: "foreigner", Binder: fate{Untried: "not root"}, Shm: fell}), Inconclusive},
	)
}

// What an attacker does to memory works where nothing hinders it: a test that held
// because the attack is lame would prove nothing.
func TestReachWorksOnOpenMemory(t *testing.T) {
	fd, err := unix.MemfdCreate("open", 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "open")
	defer f.Close()
	if err := f.Truncate(8192); err != nil {
		t.Fatal(err)
	}
	victims, err := unix.Mmap(fd, 0, 8192, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(victims)
	target, err := mappingAt(sys.Address(victims) + 5000)
	if err != nil {
		t.Fatal(err)
	}
	how, errno := reach(target, sys.Address(victims)+5000)
	if how == "" || victims[5000] == 0 {
		t.Errorf("%q, %q: nothing was written", how, errno)
	}
	if how, _ := reach(mapping{}, 0); how != "" {
		t.Error("memory without a name was reached by", how)
	}
}

func TestForgeSender(t *testing.T) {
	var b [256]byte
	e := abi.NewEncoder[abi.Command](b[:])
	e.Code(abi.BC_ENTER_LOOPER)
	e.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{Code: 7, SenderPID: 5})
	forgeSender(e.Bytes())
	d := abi.NewDecoder[abi.Command](e.Bytes())
	d.Next()
	_, payload, err := d.Next()
	if err != nil {
		t.Fatal(err)
	}
	var tr abi.TransactionData
	if tr.Decode(payload); tr.SenderPID != forged.PID || tr.SenderEUID != forged.UID || tr.Code != 7 {
		t.Errorf("%+v", tr)
	}
}

func TestTorn(t *testing.T) {
	b := make([]byte, 64)
	if torn(b) {
		t.Error("a whole message")
	}
	if binary.LittleEndian.PutUint64(b[32:], 1); !torn(b) {
		t.Error("a torn message is not seen")
	}
}

func TestStoreFaults(t *testing.T) {
	b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(b)
	if errno := store(b); errno != "SIGSEGV" {
		t.Errorf("store to read-only memory: %q", errno)
	}
	if errno := protect(b); errno != "" {
		t.Errorf("protect: %s", errno)
	}
	if errno := store(b); errno != "" || b[0] == 0 {
		t.Errorf("store: %q", errno)
	}
}
