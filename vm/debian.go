package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The suites in which a release of Debian finds the source and the tools.
var suites = map[string][]string{
	"bookworm": {"bookworm", "bookworm-backports"},
	"trixie":   {"trixie"},
}

const (
	mirror  = "http://deb.debian.org/debian"
	keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
)

// workDir is a directory in which packages are unpacked and programs run.
type workDir struct {
	ctx context.Context
	dir string
}

func (w workDir) path(parts ...string) string {
	return filepath.Join(append([]string{w.dir}, parts...)...)
}

// tools is where packages are unpacked.
const tools = "tools"

// fetch downloads packages and unpacks them under tools. Nothing is installed,
// and apt's own lists are left alone, so it takes no privileges.
func (w workDir) fetch(packages ...string) error {
	if err := w.update(); err != nil {
		return err
	}
	return w.download(packages...)
}

// install installs a package and what it needs, which takes root.
func (w workDir) install(name string) error {
	if err := w.update(); err != nil {
		return err
	}
	return w.apt("apt-get", "install", "-qy", "--no-install-recommends", name)
}

// update makes lists of what there is.
func (w workDir) update() error {
	for _, dir := range []string{"lists/partial", "cache/archives/partial", "packages", tools} {
		if err := os.MkdirAll(w.path(dir), 0o755); err != nil {
			return err
		}
	}
	if err := w.writeSources(); err != nil {
		return err
	}
	return w.apt("apt-get", "update")
}

// writeSources tells apt the suites of this release of Debian, of which it prefers
// the last.
func (w workDir) writeSources() error {
	release := codename()
	names, ok := suites[release]
	if !ok {
		return fmt.Errorf("%w: packages are fetched on Debian 12 and 13, this is %q", errors.ErrUnsupported, release)
	}
	var sources strings.Builder
	for _, suite := range names {
		fmt.Fprintf(&sources, "deb [signed-by=%s] %s %s main\n", keyring, mirror, suite)
	}
	preferred := fmt.Sprintf("APT::Default-Release %q;\n", names[len(names)-1])
	return errors.Join(
		os.WriteFile(w.path("sources.list"), []byte(sources.String()), 0o644),
		os.WriteFile(w.path("apt.conf"), []byte(preferred), 0o644))
}

// download fetches with the lists that are there.
func (w workDir) download(packages ...string) error {
	if err := w.apt("apt-get", append([]string{"download"}, packages...)...); err != nil {
		return err
	}
	for _, name := range packages {
		path, err := w.archive(name)
		if err != nil {
			return err
		}
		if err := w.run(w.dir, nil, "dpkg", "-x", path, w.path(tools)); err != nil {
			return err
		}
	}
	return nil
}

// archive is the file of a package that was downloaded.
func (w workDir) archive(name string) (string, error) {
	found, err := filepath.Glob(w.path("packages", name+"_*.deb"))
	if err != nil || len(found) != 1 {
		return "", errors.Join(err, fmt.Errorf("%d archives of package %s, want 1", len(found), name))
	}
	return found[0], nil
}

// field is a field of a package that was downloaded, as Version or Depends.
func (w workDir) field(name, field string) (string, error) {
	path, err := w.archive(name)
	if err != nil {
		return "", err
	}
	text, err := w.output(w.dir, nil, "dpkg-deb", "-f", path, field)
	return strings.TrimSpace(text), err
}

// apt runs one of apt's programs on lists of our own.
func (w workDir) apt(program string, args ...string) error {
	env := []string{"APT_CONFIG=" + w.path("apt.conf"), "DEBIAN_FRONTEND=noninteractive"}
	return w.run(w.path("packages"), env, program, append([]string{
		"-o", "Dir::Etc::sourcelist=" + w.path("sources.list"), "-o", "Dir::Etc::sourceparts=-",
		"-o", "Dir::State::lists=" + w.path("lists"), "-o", "Dir::Cache=" + w.path("cache"),
		"-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User="}, args...)...)
}

// run runs a program and shows what it said only if it fails.
func (w workDir) run(dir string, env []string, name string, args ...string) error {
	_, err := w.output(dir, env, name, args...)
	return err
}

const shownOutput = 4 << 10

func (w workDir) output(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(w.ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stdout, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &said
	if err := cmd.Run(); err != nil {
		all := append(stdout.Bytes(), said.Bytes()...)
		return "", fmt.Errorf("%s: %w\n%s", name, err, all[max(0, len(all)-shownOutput):])
	}
	return stdout.String(), nil
}

// codename is VERSION_CODENAME of os-release(5).
func codename() string {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}
