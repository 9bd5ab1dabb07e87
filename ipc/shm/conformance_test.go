package shm

import (
	"testing"

	"ipcbench/ipc/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m, Transports()...) }

func TestConformance(t *testing.T) {
	copies := map[string]float64{"shm": 1, "shm-sem": 1, "shm-inplace": 0, "cma": 1}
	for _, tr := range Transports() {
		t.Run(tr.Info().Name, func(t *testing.T) {
			transporttest.Run(t, transporttest.Subject{Transport: tr, Copies: copies[tr.Info().Name]})
		})
	}
}
