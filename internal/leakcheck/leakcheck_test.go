package leakcheck

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestLeaksAreNoticed(t *testing.T) {
	Expect(t, nil)
	objects := []string{"queue 1"}
	list := func() []string { return objects }
	before := take(list)

	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	child := exec.Command("/proc/self/exe", "-test.run=^$")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	end := make(chan bool)
	defer close(end)
	go func() { <-end }()
	objects = append(objects, "queue 2")

	more := strings.Join(take(list).beyond(before), ", ")
	for _, want := range []string{os.DevNull, "process ", "goroutine", "queue 2"} {
		if !strings.Contains(more, want) {
			t.Errorf("no %q among %q", want, more)
		}
	}
	if strings.Contains(more, "queue 1") {
		t.Errorf("what was there before is among %q", more)
	}
}
