package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ipcbench": main, "hold-pipes": holdPipes})
}

// TestScripts runs the scripts under testdata. Beside testscript's own commands
// they have "status N command...", which checks an exit status, and
// "oneline FILE", which checks that a file holds one line.
func TestScripts(t *testing.T) {
	stored, err := filepath.Abs("../../results/testdata/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			b, err := os.ReadFile(stored)
			if err != nil {
				return err
			}
			self, err := os.Executable()
			if err != nil {
				return err
			}
			e.Setenv("IPCBENCH", self)
			return os.WriteFile(filepath.Join(e.WorkDir, "sample.json"), b, 0o666)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "oneline": oneLineOf,
		},
	})
}
