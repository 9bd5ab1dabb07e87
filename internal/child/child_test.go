package child

import (
	"os/exec"
	"testing"
)

func shell(script string) *exec.Cmd { return exec.Command("sh", "-c", script) }

func TestReady(t *testing.T) {
	c, err := StartReady(shell("echo ready; cat >/dev/null; echo over; exit 3"))
	if err != nil {
		t.Fatal(err)
	}
	if said, err := c.End(); said != "over\n" || err == nil || c.ProcessState.ExitCode() != 3 {
		t.Errorf("it says %q and ends with %v", said, err)
	}
}

func TestNotReady(t *testing.T) {
	for _, script := range []string{"echo steady; exec sleep 100", "exit 0"} {
		cmd := shell(script)
		if _, err := StartReady(cmd); err == nil || cmd.ProcessState == nil {
			t.Errorf("%s: %v, state %v", script, err, cmd.ProcessState)
		}
	}
}

func TestKill(t *testing.T) {
	c, err := StartReady(shell("echo ready; exec sleep 100"))
	if err != nil {
		t.Fatal(err)
	}
	c.Kill()
	if c.ProcessState.Exited() {
		t.Errorf("it ended by itself: %v", c.ProcessState)
	}
	c.Kill()
}
