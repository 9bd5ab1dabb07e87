// Package importtest holds the architecture of this module as a table and
// checks the source against it: which room may import which (rooms), that unsafe
// and raw system calls stay in their fenced files, and that what is made for
// tests is imported by tests alone.
//
// Test files may import anything: they put rooms together that do not know each
// other. The fence around unsafe holds for them too.
package importtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Check reads every Go file of the module in a directory, apart from testdata,
// and returns the violations it finds, one line each, in order.
func Check(module, directory string) ([]string, error) {
	c := checker{module: module, files: token.NewFileSet()}
	err := filepath.WalkDir(directory, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if skipped(entry.Name()) && name != directory {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		relative, err := filepath.Rel(directory, name)
		if err != nil {
			return err
		}
		return c.file(name, filepath.ToSlash(relative))
	})
	slices.Sort(c.violations)
	return c.violations, err
}

// skipped reports folders that the go command does not look into either.
func skipped(folder string) bool {
	return folder == "testdata" || strings.HasPrefix(folder, ".") || strings.HasPrefix(folder, "_")
}

type checker struct {
	module     string
	files      *token.FileSet
	violations []string
}

// source is a file under check.
type source struct {
	// name and folder are relative to the module.
	name, folder string
	test         bool
	syntax       *ast.File
}

func (c *checker) file(name, relative string) error {
	syntax, err := parser.ParseFile(c.files, name, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	s := source{name: relative, folder: path.Dir(relative), test: strings.HasSuffix(relative, "_test.go"), syntax: syntax}
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if !s.test {
			c.arrow(s, imported)
		}
		if imported == "unsafe" && !fenced(s, unsafeRooms) && !fenced(s, layoutRooms) {
			c.violation(s, "imports unsafe outside its fence")
		}
	}
	c.selectors(s)
	return nil
}

func (c *checker) violation(s source, format string, args ...any) {
	c.violations = append(c.violations, s.name+": "+fmt.Sprintf(format, args...))
}

// arrow checks one import of code that is not a test.
func (c *checker) arrow(s source, imported string) {
	here, known := roomOf(s.folder)
	if !known {
		c.violation(s, "stands in no room")
		return
	}
	target, own := strings.CutPrefix(imported, c.module+"/")
	if !own {
		if listed(here.never, imported) {
			c.violation(s, "%s knows no %s", here.folder, imported)
		}
		return
	}
	switch {
	case forTests(target) && !forTests(s.folder):
		c.violation(s, "imports %s, which is for tests", target)
	case !forTests(s.folder) && !listed(here.may, target):
		c.violation(s, "imports %s, against the direction of %s", target, here.folder)
	}
}

// forTests reports packages that only tests may import.
func forTests(folder string) bool { return slices.Contains(testRooms, folder) }

// roomOf finds the room with the longest folder that covers a folder; a name
// beats a star.
func roomOf(folder string) (best room, known bool) {
	for _, r := range rooms {
		if !covers(r.folder, folder) {
			continue
		}
		if !known || better(r.folder, best.folder) {
			best, known = r, true
		}
	}
	return best, known
}

func better(a, b string) bool {
	depthA, depthB := strings.Count(a, "/"), strings.Count(b, "/")
	return depthA > depthB || depthA == depthB && strings.HasSuffix(b, "*")
}

func covers(pattern, folder string) bool {
	wants, has := strings.Split(pattern, "/"), strings.Split(folder, "/")
	if len(wants) > len(has) {
		return false
	}
	for i, want := range wants {
		if want != "*" && want != has[i] {
			return false
		}
	}
	return true
}

// listed reports whether a list has a package, itself or through "/...".
func listed(list []string, name string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		tree, whole := strings.CutSuffix(entry, "/...")
		return name == tree || whole && strings.HasPrefix(name, tree+"/")
	})
}

// fenced reports a file with the name for unsafe code in one of the rooms.
func fenced(s source, in []string) bool {
	base := strings.TrimSuffix(strings.TrimSuffix(s.name, ".go"), "_test")
	return slices.Contains(in, s.folder) && strings.HasSuffix(base, "_unsafe")
}

var (
	rawCalls = []string{"RawSyscall", "RawSyscall6", "Syscall", "Syscall6", "Syscall9",
		"RawSyscallNoError", "SyscallNoError", "RawVforkSyscall"}
	layoutOnly = []string{"Sizeof", "Offsetof", "Alignof"}
)

// selectors checks what a file uses of syscall, unix and unsafe.
func (c *checker) selectors(s source) {
	packages := make(map[string]string)
	for _, spec := range s.syntax.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		packages[name] = imported
	}
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok {
			c.use(s, packages[x.Name], selector.Sel.Name)
		}
		return true
	})
}

func (c *checker) use(s source, imported, name string) {
	switch imported {
	case "syscall", "golang.org/x/sys/unix":
		if slices.Contains(rawCalls, name) && !fenced(s, unsafeRooms) {
			c.violation(s, "calls %s.%s outside its fence", path.Base(imported), name)
		}
	case "unsafe":
		if fenced(s, layoutRooms) && !slices.Contains(layoutOnly, name) {
			c.violation(s, "uses unsafe.%s, where only sizes and offsets are asked for", name)
		}
	}
}
