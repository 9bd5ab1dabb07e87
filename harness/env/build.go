package env

import (
	"context"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Commit is the version control revision that this program was built from, and
// whether the tree was modified. Where the build did not stamp one it is asked
// of git in the working directory, which must then be this module; it is empty
// where neither knows.
func Commit() (commit string, dirty bool) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", false
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	if commit == "" && workingIn(info.Main.Path) {
		commit = git("rev-parse", "HEAD")
		dirty = git("status", "--porcelain", "--untracked-files=no") != ""
	}
	return commit, dirty
}

// Profiled reports whether the program was compiled with a profile of its own
// runs, as its folder's default.pgo makes `go build` do.
func Profiled() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-pgo" })
}

// workingIn reports whether the working directory belongs to the module: the
// revision of any other repository would say nothing of this program.
func workingIn(module string) bool {
	return module != "" && output("go", "list", "-m") == module
}

func git(args ...string) string { return output("git", args...) }

// output is the trimmed standard output of a command, empty where it failed.
func output(name string, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	b, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
