package transporttest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
)

// party is the three processes of a channel, creator, server and client, all of
// them children of this one.
type party struct {
	t       *testing.T
	members [3]*child
	names   [3]string
}

// meet starts a party whose client plays a role.
func meet(t *testing.T, s Subject, size int, client string) *party {
	t.Helper()
	p := &party{t: t, names: [3]string{"creator", "server", "client"}}
	ends := p.create(s, size)
	p.join(s, size, client, ends)
	return p
}

// create starts the creator and gets what it hands over.
func (p *party) create(s Subject, size int) (ends [2]ipc.Handover) {
	p.t.Helper()
	creator := start(p.t, s, config(s, size), "create", ipc.Handover{})
	p.members[0] = creator
	line, err := creator.out.ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("no offer: %v", err)
	}
	var offers [2]offer
	if err := json.Unmarshal(line, &offers); err != nil {
		p.t.Fatal(err)
	}
	for i, o := range offers {
		ends[i] = creator.take(p.t, o)
	}
	creator.tell("taken")
	return ends
}

// join starts server and client.
func (p *party) join(s Subject, size int, client string, ends [2]ipc.Handover) {
	p.t.Helper()
	p.members[1] = start(p.t, s, config(s, size), "serve-till-told", ends[0])
	p.members[2] = start(p.t, s, config(s, size), client, ends[1])
}

// take gets what a child offers.
func (c *child) take(t *testing.T, o offer) ipc.Handover {
	t.Helper()
	process, err := unix.PidfdOpen(c.cmd.Process.Pid, 0)
	if err != nil {
		t.Fatalf("pidfd_open: %v", err)
	}
	defer unix.Close(process)
	h := ipc.Handover{Data: o.Data}
	for _, number := range o.Descriptors {
		fd, err := unix.PidfdGetfd(process, number, 0)
		if err != nil {
			h.Close()
			t.Fatalf("pidfd_getfd: %v", err)
		}
		h.Files = append(h.Files, os.NewFile(uintptr(fd), "taken"))
	}
	return h
}

// step is what happens to a member.
type step struct {
	member int
	kill   bool
	after  time.Duration
}

func (p *party) String(steps []step) string {
	var words []string
	for _, s := range steps {
		verb := "closes"
		if s.kill {
			verb = "is killed"
		}
		words = append(words, fmt.Sprintf("%v later the %s %s", s.after, p.names[s.member], verb))
	}
	return strings.Join(words, ", ")
}

// newFate is what happens to all members, in any order, of whom at least one is
// not killed.
func newFate(r *rand.Rand, run int) []step {
	killed := run % 7 // a bit for each member, not all of them set
	steps := make([]step, 3)
	for i, member := range r.Perm(3) {
		steps[i] = step{member, killed>>member&1 != 0, time.Duration(r.IntN(2000)) * time.Microsecond}
	}
	return steps
}

func needsSurvivors(t *testing.T) {
	if !isolated() {
		t.Skip("needs an IPC namespace of its own")
	}
}

// testSurvivors kills and closes the three processes of a channel in all
// combinations, and expects those which are left to have left nothing.
func testSurvivors(t *testing.T, s Subject) {
	needsSurvivors(t)
	runs := 14
	if os.Getenv("IPCBENCH_LONG") != "" {
		runs = 140
	}
	r := rand.New(rand.NewPCG(20, 26))
	for run := range runs {
		steps := newFate(r, run)
		p := meet(t, s, 50_000, "call-till-told")
		if run%2 == 0 { // otherwise it begins while they take their ends up
			for _, c := range p.members {
				c.awaitReady(t)
			}
		} else {
			steps[0].after *= 10
		}
		for _, step := range steps {
			time.Sleep(step.after) // any moment is right
			p.do(step)
		}
		p.expectNothingLeft(p.String(steps))
		p.end()
	}
}

// testOrphans kills the creator before anybody has taken an end up.
func testOrphans(t *testing.T, s Subject) {
	needsSurvivors(t)
	p := &party{t: t, names: [3]string{"creator", "server", "client"}}
	ends := p.create(s, 4096)
	p.members[0].kill()
	p.join(s, 4096, "call-till-told", ends)
	p.members[1].close(t)
	p.members[2].kill()
	p.expectNothingLeft("the creator is killed before the server takes its end up")
	p.end()
}

// testSurvivorOfUnread closes a client whose messages the server will not have
// read when it is killed.
func testSurvivorOfUnread(t *testing.T, s Subject) {
	needsSurvivors(t)
	p := meet(t, s, 64, "send")
	creator, server, client := p.members[0], p.members[1], p.members[2]
	creator.awaitReady(t)
	server.awaitReady(t)
	server.cmd.Process.Signal(unix.SIGSTOP)
	client.awaitSent() // it may need the creator to find the server
	creator.kill()
	client.close(t)
	server.kill()
	p.expectNothingLeft("the client closes, its message unread; the server is killed")
	p.end()
}

// awaitSent waits until the child is ready and has sent, in whatever order it says
// so, or for long enough if sending waits for the receiver.
func (c *child) awaitSent() {
	c.out.ReadString('\n')
	c.pipe.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	c.out.ReadString('\n')
	c.pipe.SetReadDeadline(time.Time{})
}

func (p *party) do(s step) {
	p.t.Helper()
	if s.kill {
		p.members[s.member].kill()
		return
	}
	p.members[s.member].close(p.t)
}

// close tells a child to close and waits until it has.
func (c *child) close(t *testing.T) {
	t.Helper()
	c.tell("close")
	for {
		line, err := c.out.ReadString('\n')
		if line == "closed\n" {
			return
		}
		if err != nil {
			t.Fatalf("a child did not close: it said %q: %v", line, err)
		}
	}
}

// expectNothingLeft waits until there is no object, nor a descriptor in those that
// live.
func (p *party) expectNothingLeft(after string) {
	p.t.Helper()
	left := p.left()
	for deadline := time.Now().Add(patience); len(left) > 0 && time.Now().Before(deadline); left = p.left() {
		time.Sleep(time.Millisecond)
	}
	if len(left) > 0 {
		p.t.Fatalf("%s: left behind: %s", after, strings.Join(left, ", "))
	}
}

func (p *party) left() []string {
	all := objects()
	for i, c := range p.members {
		for _, fd := range c.descriptors() {
			all = append(all, p.names[i]+"'s "+fd)
		}
	}
	return all
}

// descriptors lists those of a child beyond the first three, except inherited ones
// and the Go runtime's own.
func (c *child) descriptors() (all []string) {
	inherited := descriptors("self")
	for number, target := range descriptors(fmt.Sprint(c.cmd.Process.Pid)) {
		standard := slices.Contains([]string{"0", "1", "2"}, number)
		runtimes := strings.HasPrefix(target, "anon_inode:[event") || strings.HasPrefix(target, "/sys/fs/cgroup/")
		if !standard && !runtimes && inherited[number] != target {
			all = append(all, "descriptor "+number+" ("+target+")")
		}
	}
	return all
}

// descriptors tells what those of a process are.
func descriptors(process string) map[string]string {
	all := make(map[string]string)
	links, _ := filepath.Glob("/proc/" + process + "/fd/*")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil {
			all[filepath.Base(link)] = target
		}
	}
	return all
}

func (p *party) end() {
	for _, c := range p.members {
		c.kill()
	}
}
