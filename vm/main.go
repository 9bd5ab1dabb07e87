// Command vm boots a kernel that has the real Binder driver and runs this
// project in it:
//
//	go run ./vm                 the conformance suite, on every device
//	go run ./vm ipcbench ARGS   the command, for example: run -t 'pipe,binder*'
//	go run ./vm claims ARGS     the claims, for example: --format json -o claims.json
//	go run ./vm test PACKAGE    the tests of one package, for example: ./ipc/binder
//	go run ./vm exec PROGRAM    any program of the host
//
// There are two machines, --machine uml and --machine qemu, and --machine host
// does without: what needs the driver is then skipped with the reason. Both see the host's
// files, read-only, and may write into the directory that the command was
// started in, so that what a program stores with -o is there afterwards.
//
// uml, the default, is user-mode Linux: the kernel as an ordinary program. It
// needs neither privileges nor hardware virtualisation, starts in a fraction of a
// second and has one CPU. The first run builds it from Debian's linux-source
// package, in a few minutes; the result is kept in the user's cache.
//
// qemu is a whole machine with two CPUs and Debian's own kernel, unpacked from
// its package into the cache. Hardware virtualisation is tried for some seconds;
// where no kernel boots with it the processor is emulated, and the command says
// so. --kernel, --module and --initrd take a kernel from elsewhere.
//
// Under user-mode Linux a system call costs many times its native price, and under
// emulation everything does, so figures of such a run compare with each other and
// with nothing else. Results say so: their environment is marked as emulated.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
)

// options are the flags that all subcommands share.
type options struct {
	machine string
	source  string // the package
	kernel  string
	modules []string
	initrd  string
	accel   string
	memory  string
	timeout time.Duration
}

func main() {
	if job, ok := guestJob(); ok {
		beInit(job)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "vm:", err)
		os.Exit(exitStatus(err))
	}
}

func command() *cobra.Command {
	var o options
	var test testOptions
	root := &cobra.Command{
		Use:           "vm",
		Short:         "Run the conformance suite, or more, on a kernel with the real Binder driver",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		// The flags of vm stand before a subcommand, and all behind are its own.
		TraverseChildren: true,
		RunE:             func(c *cobra.Command, _ []string) error { return runTest(c.Context(), o, test) },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&o.machine, "machine", "", "uml, qemu or host; by default the one that the package is for, or uml")
	flags.StringVar(&o.source, "source", "", "Debian package to take the kernel from: linux-source-… is built for uml, linux-image-… boots in qemu")
	flags.StringVar(&o.kernel, "kernel", "", "kernel to boot, instead of one from a package")
	flags.StringSliceVar(&o.modules, "module", nil, "modules to load, in this order, instead of those of the package (qemu)")
	flags.StringVar(&o.initrd, "initrd", "", "initial file system under the one made here, whose modules are loaded too (qemu)")
	flags.StringVar(&o.accel, "accel", "", "kvm or tcg; by default kvm is tried first (qemu)")
	flags.StringVar(&o.memory, "memory", "1G", "memory of the machine")
	flags.DurationVar(&o.timeout, "timeout", 15*time.Minute, "time after which the machine is switched off")
	root.Flags().StringVar(&test.results, "results", "", "directory for the results, one JSON file a device")
	root.Flags().StringSliceVar(&test.packages, "also", nil, "further packages, on whose kernels the real driver alone is tested")
	root.Flags().StringVar(&test.parity, "parity", "", "document whose table to bring up to date")
	root.Flags().BoolVarP(&test.verbose, "verbose", "v", false, "show every row as it runs")
	root.AddCommand(
		inMachine("ipcbench", "Build the command ipcbench and run it in the machine", &o, runIpcbench),
		inMachine("claims", "Judge the claims in the machine: ipcbench claims", &o, runClaims),
		inMachine("test PACKAGE", "Build the tests of a package and run them in the machine, with flags as -test.v", &o, runPackage),
		inMachine("exec PROGRAM", "Run a program of the host in the machine", &o, runProgram))
	return root
}

// inMachine is a subcommand whose arguments all belong to a program in the machine.
func inMachine(use, short string, o *options, run func(context.Context, options, []string) error) *cobra.Command {
	return &cobra.Command{
		Use:                use + " ARGS",
		Short:              short,
		DisableFlagParsing: true,
		RunE:               func(c *cobra.Command, args []string) error { return run(c.Context(), *o, args) },
	}
}
