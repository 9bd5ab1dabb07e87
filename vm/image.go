package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// moduleNames are the modules that the machine needs, in the order in which they
// depend on each other. A kernel that lacks one has it built in.
var moduleNames = []string{"netfs", "fscache", "9pnet", "9pnet_virtio", "9p", "virtio_console", "binder_linux"}

// image is a kernel as a distribution ships it.
type image struct {
	kernel  string
	modules []string // files, to be loaded in this order
}

// packagedImage is the kernel of a package in the user's cache. If there is none
// yet, the package is downloaded, and what is needed of it kept.
func packagedImage(ctx context.Context, name string) (image, error) {
	dir, kept, err := inCache(name + "_*")
	if err != nil {
		return image{}, err
	}
	if kept == "" {
		err = inWorkDir(func(work string) error {
			fmt.Fprintln(os.Stderr, "vm: kernel: fetching", name)
			kept, err = keepImage(workDir{ctx, work}, name, dir)
			return err
		})
		if err != nil {
			return image{}, fmt.Errorf("fetch the kernel of %s (or pass --kernel): %w", name, err)
		}
	}
	modules, err := modulesIn(kept)
	return image{filepath.Join(kept, kernelFile), modules}, err
}

// kernelFile is the kernel in the cache, beside its modules.
const kernelFile = "vmlinuz"

// keepImage puts the kernel and the modules of a package into a directory of the
// cache.
func keepImage(w workDir, name, cache string) (kept string, err error) {
	if err := w.fetch(name); err != nil {
		return "", err
	}
	version, err := w.field(name, "Version")
	if err != nil {
		return "", err
	}
	if err := w.fetchDependency(name); err != nil {
		return "", err
	}
	kernels, err := filepath.Glob(w.path(tools, "boot", "vmlinuz-*"))
	if err != nil || len(kernels) != 1 {
		return "", errors.Join(err, fmt.Errorf("%d kernels in the package, want 1", len(kernels)))
	}
	modules, err := modulesIn(w.path(tools))
	if err != nil {
		return "", err
	}
	part := w.path("kept")
	if err := os.Mkdir(part, 0o755); err != nil {
		return "", err
	}
	if err := copyFile(kernels[0], filepath.Join(part, kernelFile)); err != nil {
		return "", err
	}
	for _, module := range modules {
		if err := copyFile(module, filepath.Join(part, filepath.Base(module))); err != nil {
			return "", err
		}
	}
	kept = filepath.Join(cache, name+"_"+version)
	return kept, moveDir(part, kept)
}

// fetchDependency downloads the package that one without a kernel of its own
// stands for: the release that is current.
func (w workDir) fetchDependency(name string) error {
	if _, err := os.Stat(w.path(tools, "boot")); err == nil {
		return nil
	}
	depends, err := w.field(name, "Depends")
	if err != nil {
		return err
	}
	for dependency := range strings.SplitSeq(depends, ",") {
		actual, _, _ := strings.Cut(strings.TrimSpace(dependency), " ")
		if strings.HasPrefix(actual, imagePrefix) {
			return w.download(actual)
		}
	}
	return fmt.Errorf("package %s has no kernel and depends on none: %s", name, depends)
}

// modulesIn finds the modules that the machine needs anywhere under dir.
func modulesIn(dir string) ([]string, error) {
	found := make([]string, len(moduleNames))
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, suffix, _ := strings.Cut(entry.Name(), ".")
		at := slices.Index(moduleNames, name)
		if at >= 0 && (suffix == "ko" || strings.HasPrefix(suffix, "ko.")) {
			found[at] = path
		}
		return nil
	})
	return slices.DeleteFunc(found, func(path string) bool { return path == "" }), err
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}

// moveDir moves a directory of files so that nobody sees half of it.
func moveDir(from, to string) error {
	part := to + ".part"
	if err := errors.Join(os.RemoveAll(part), os.CopyFS(part, os.DirFS(from))); err != nil {
		return err
	}
	return os.Rename(part, to)
}
