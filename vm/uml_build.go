package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// configuration is what the kernel has beyond the least possible.
//
//go:embed uml.config
var configuration string

// builtKernel is the kernel of a source package in the user's cache. If there
// is none of this configuration yet, it is built.
func builtKernel(ctx context.Context, source string) (string, error) {
	sum := sha256.Sum256([]byte(configuration))
	suffix := fmt.Sprintf("-%x", sum[:4])
	dir, kept, err := inCache(source + "_*" + suffix)
	if err != nil || kept != "" {
		return kept, err
	}
	var kernel string
	err = inWorkDir(func(work string) error {
		b := builder{workDir{ctx, work}, source}
		version, err := b.build()
		if err != nil {
			return err
		}
		kernel = filepath.Join(dir, source+"_"+version+suffix)
		return moveFile(b.path("build", "linux"), kernel)
	})
	if err != nil {
		return "", fmt.Errorf("build a user-mode kernel from %s (or pass --kernel): %w", source, err)
	}
	return kernel, nil
}

// inCache is the directory in the user's cache where kernels are kept, and the
// newest entry in it whose name matches, "" if there is none.
func inCache(pattern string) (dir, newest string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", "", err
	}
	dir = filepath.Join(cache, "ipcbench", "vm")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", err
	}
	kept, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(kept) == 0 {
		return dir, "", err
	}
	return dir, slices.Max(kept), nil
}

// builder builds a kernel in its directory.
type builder struct {
	workDir
	source string // the package
}

// build leaves the kernel in build/linux and returns the source's version.
func (b builder) build() (version string, err error) {
	if err := b.haveTools(); err != nil {
		return "", err
	}
	steps := []struct {
		what string
		do   func() error
	}{
		{"fetching " + b.source, func() error { return b.fetch(b.source, "flex", "bison", "m4") }},
		{"unpacking", b.unpack},
		{"configuring", b.configure},
		{"compiling, which takes some minutes", func() error { return b.make("-j"+strconv.Itoa(runtime.NumCPU()), "linux") }},
		{"stripping", func() error { return b.run(b.path("build"), nil, "strip", "linux") }},
	}
	for _, step := range steps {
		fmt.Fprintln(os.Stderr, "vm: kernel:", step.what)
		if err := step.do(); err != nil {
			return "", fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return b.field(b.source, "Version")
}

// haveTools says what is missing to build a kernel. flex, bison and m4 are
// fetched with the source.
func (b builder) haveTools() error {
	var missing []string
	for _, tool := range []string{"apt-get", "dpkg", "tar", "xz", "gcc", "make", "bc", "strip"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tool)
		}
	}
	if missing != nil {
		return fmt.Errorf("%w: not installed: %s", errors.ErrUnsupported, strings.Join(missing, ", "))
	}
	return nil
}

func (b builder) unpack() error {
	archives, err := filepath.Glob(b.path(tools, "usr", "src", b.source+".tar.*"))
	if err != nil || len(archives) != 1 {
		return errors.Join(err, fmt.Errorf("%d archives in the source package, want 1", len(archives)))
	}
	return errors.Join(os.Mkdir(b.path("build"), 0o755), b.run(b.dir, nil, "tar", "-xf", archives[0]))
}

// configure makes the configuration and checks that every option took:
// kconfig silently leaves out what depends on something that is off.
func (b builder) configure() error {
	wanted := b.path("wanted.config")
	if err := os.WriteFile(wanted, []byte(configuration), 0o644); err != nil {
		return err
	}
	if err := b.make("KCONFIG_ALLCONFIG="+wanted, "allnoconfig"); err != nil {
		return err
	}
	got, err := os.ReadFile(b.path("build", ".config"))
	if err != nil {
		return err
	}
	have := strings.Split(string(got), "\n")
	for option := range strings.Lines(configuration) {
		if !slices.Contains(have, strings.TrimSpace(option)) {
			return fmt.Errorf("option %s did not take", strings.TrimSpace(option))
		}
	}
	return nil
}

// make runs the kernel's makefile with the tools that were fetched.
func (b builder) make(args ...string) error {
	usr := b.path(tools, "usr")
	env := []string{
		"PATH=" + filepath.Join(usr, "bin") + ":" + os.Getenv("PATH"),
		"M4=" + filepath.Join(usr, "bin", "m4"),
		"BISON_PKGDATADIR=" + filepath.Join(usr, "share", "bison"),
	}
	return b.run(b.path(b.source), env, "make", append([]string{"ARCH=um", "O=" + b.path("build")}, args...)...)
}

// moveFile moves an executable so that nobody sees half of it.
func moveFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	part := to + ".part"
	if err := os.WriteFile(part, b, 0o755); err != nil {
		return err
	}
	return os.Rename(part, to)
}
