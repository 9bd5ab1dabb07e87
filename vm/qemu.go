package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// qemu is a whole machine, with hardware virtualisation or emulated.
type qemu struct {
	program string
	image   image
	initrd  string
	memory  string
	accels  []string // to be tried in this order
}

const (
	kvm = "kvm"
	tcg = "tcg" // emulation, translating code
)

// signOfLife is how long a machine with hardware virtualisation may take until it
// runs this program; it needs one or two seconds.
const signOfLife = 15 * time.Second

var errNoLife = errors.New("the machine showed no sign of life")

func newQEMU(ctx context.Context, o options) (machine, error) {
	program, err := provideQEMU(ctx)
	if err != nil {
		return nil, err
	}
	accels, err := accelerators(o.accel)
	if err != nil {
		return nil, err
	}
	m := qemu{program, image{o.kernel, o.modules}, o.initrd, o.memory, accels}
	if o.kernel == "" {
		packaged, err := packagedImage(ctx, cmp.Or(o.source, defaultImage))
		if err != nil {
			return nil, err
		}
		m.image.kernel = packaged.kernel
		if o.modules == nil {
			m.image.modules = packaged.modules
		}
	}
	return m, nil
}

// accelerators are those to try: hardware virtualisation first, if its device can
// be used at all.
func accelerators(wanted string) ([]string, error) {
	switch wanted {
	case kvm, tcg:
		return []string{wanted}, nil
	case "":
	default:
		return nil, fmt.Errorf("no accelerator %q: there are %s and %s", wanted, kvm, tcg)
	}
	device, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm: qemu: no hardware virtualisation:", err)
		return []string{tcg}, nil
	}
	return []string{kvm, tcg}, device.Close()
}

// provideQEMU finds the program. Root, on Debian, gets it installed.
func provideQEMU(ctx context.Context) (string, error) {
	const program, debian = "qemu-system-x86_64", "qemu-system-x86"
	path, err := exec.LookPath(program)
	if err == nil {
		return path, nil
	}
	if _, noApt := exec.LookPath("apt-get"); noApt != nil || os.Geteuid() != 0 {
		return "", fmt.Errorf("%w: %w: install %s, or use --machine %s", errors.ErrUnsupported, err, debian, umlMachine)
	}
	err = inWorkDir(func(dir string) error {
		fmt.Fprintln(os.Stderr, "vm: qemu: installing", debian)
		return workDir{ctx, dir}.install(debian)
	})
	if err != nil {
		return "", fmt.Errorf("install %s: %w", debian, err)
	}
	return exec.LookPath(program)
}

// emulation is how the processor is emulated: by a thread for each CPU, or by one
// for all. With several threads of qemu 7.2, a CPU that ran code which another was
// patching (tracepoints and perf events are switched on so) stopped the machine
// with the trap that marks such code; 10.0 was not seen to.
func (m qemu) emulation(ctx context.Context) (string, error) {
	const sound = 10
	said, err := exec.CommandContext(ctx, m.program, "--version").Output()
	if err != nil {
		return "", err
	}
	var major int
	if _, err := fmt.Sscanf(string(said), "QEMU emulator version %d.", &major); err != nil {
		return "", fmt.Errorf("version of qemu %q: %w", said, err)
	}
	if major < sound {
		return "tcg,thread=single", nil
	}
	return "tcg,thread=multi", nil
}

// start tries one accelerator after the other, and says which is used.
func (m qemu) start(ctx context.Context, j job) error {
	if err := m.makeInitramfs(ctx, j.Home); err != nil {
		return err
	}
	var err error
	for _, accel := range m.accels {
		option := accel
		if accel == tcg {
			if option, err = m.emulation(ctx); err != nil {
				return err
			}
		}
		fmt.Fprintln(os.Stderr, "vm: qemu: starting with -accel", option)
		if err = m.run(ctx, option, j); !errors.Is(err, errNoLife) {
			return err
		}
		fmt.Fprintf(os.Stderr, "vm: qemu: -accel %s: %s\n", accel, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return err
}

const (
	initramfsFile = "initramfs"
	consoleFile   = "console"
)

// makeInitramfs builds this program so that it runs without the host's libraries,
// and makes the initial file system of it.
func (m qemu) makeInitramfs(ctx context.Context, home string) error {
	init := filepath.Join(home, "init")
	if err := goBuild(ctx, "build", "-o", init, "ipcbench/vm"); err != nil {
		return err
	}
	archive, err := newInitramfs(init, m.image.modules, m.initrd)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(home, initramfsFile), archive, 0o644)
}

// run runs the machine once. Its serial line is the kernel's console, which is
// shown if it fails; the virtual console is for the job alone.
func (m qemu) run(ctx context.Context, accel string, j job) error {
	console := filepath.Join(j.Home, consoleFile)
	args := []string{"-nodefaults", "-display", "none", "-no-reboot", "-m", m.memory, "-smp", "2", "-cpu", "max",
		"-kernel", m.image.kernel, "-initrd", filepath.Join(j.Home, initramfsFile),
		"-append", "console=ttyS0 quiet panic=-1 lsm=selinux " + jobVariable + "=" + j.Home + " " + machineVariable + "=" + qemuMachine,
		"-accel", accel, "-serial", "file:" + console,
		"-chardev", "stdio,id=out,signal=off", "-device", "virtio-serial", "-device", "virtconsole,chardev=out"}
	for _, s := range sharesOf(j) {
		args = append(args, "-virtfs", s.option())
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	if accel == kvm {
		go expectLife(running, j.Home, stop)
	}
	cmd := exec.CommandContext(running, m.program, args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = os.Stdout, &said
	err := cmd.Run()
	if accel == kvm && !exists(j.Home, startedFile) && ctx.Err() == nil {
		return errors.Join(errNoLife, err, errors.New(strings.TrimSpace(said.String())))
	}
	if err == nil && exists(j.Home, statusFile) {
		return nil
	}
	messages, _ := os.ReadFile(console)
	err = errors.Join(errors.New("the machine went off before its job was done"), err, ctx.Err())
	return fmt.Errorf("%w\n%s%s", err, said.String(), messages)
}

// expectLife stops the machine if its first process does not come to run.
func expectLife(ctx context.Context, home string, stop context.CancelFunc) {
	select {
	case <-ctx.Done():
	case <-time.After(signOfLife):
		if !exists(home, startedFile) {
			stop()
		}
	}
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// share is a directory of the host that the machine mounts under a tag (9p).
type share struct {
	tag, dir string
	writable bool
}

const (
	rootTag = "root"
	homeTag = "home"
	dirTag  = "dir"
)

func sharesOf(j job) []share {
	return []share{{rootTag, "/", false}, {homeTag, j.Home, true}, {dirTag, j.Dir, true}}
}

// option is the share for -virtfs, in which a comma is written twice.
func (s share) option() string {
	option := fmt.Sprintf("local,id=%s,mount_tag=%s,path=%s,security_model=none,multidevs=remap",
		s.tag, s.tag, strings.ReplaceAll(s.dir, ",", ",,"))
	if !s.writable {
		option += ",readonly=on"
	}
	return option
}
