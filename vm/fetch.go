package main

import (
	"errors"
	"fmt"
	"os"
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

// fetch downloads the source and the tools that a kernel's build needs and
// systems rarely have, and unpacks them under tools. Nothing is installed, and
// apt's own lists are left alone, so it takes no privileges.
func (b builder) fetch() (version string, err error) {
	release := codename()
	names, ok := suites[release]
	if !ok {
		return "", fmt.Errorf("%w: %s is fetched on Debian 12 and 13, this is %q", errors.ErrUnsupported, b.source, release)
	}
	var sources strings.Builder
	for _, suite := range names {
		fmt.Fprintf(&sources, "deb [signed-by=%s] %s %s main\n", keyring, mirror, suite)
	}
	for _, dir := range []string{"lists/partial", "cache/archives/partial", "packages", "tools"} {
		if err := os.MkdirAll(b.path(dir), 0o755); err != nil {
			return "", err
		}
	}
	if err := os.WriteFile(b.path("sources.list"), []byte(sources.String()), 0o644); err != nil {
		return "", err
	}
	if err := b.apt("apt-get", "update"); err != nil {
		return "", err
	}
	if err := b.apt("apt-get", "download", b.source, "flex", "bison", "m4"); err != nil {
		return "", err
	}
	return b.unpackPackages()
}

// apt runs one of apt's programs on lists of our own.
func (b builder) apt(program string, args ...string) error {
	return b.run(b.path("packages"), nil, program, append([]string{
		"-o", "Dir::Etc::sourcelist=" + b.path("sources.list"), "-o", "Dir::Etc::sourceparts=-",
		"-o", "Dir::State::lists=" + b.path("lists"), "-o", "Dir::Cache=" + b.path("cache"),
		"-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User="}, args...)...)
}

// unpackPackages unpacks all and returns the version of the source.
func (b builder) unpackPackages() (version string, err error) {
	packages, err := filepath.Glob(b.path("packages", "*.deb"))
	if err != nil {
		return "", err
	}
	for _, path := range packages {
		if err := b.run(b.dir, nil, "dpkg", "-x", path, b.path("tools")); err != nil {
			return "", err
		}
		if name, rest, _ := strings.Cut(filepath.Base(path), "_"); name == b.source {
			version, _, _ = strings.Cut(rest, "_")
		}
	}
	return version, nil
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
