package mq

import (
	"testing"

	"ipcbench/ipc/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m, Transports()...) }

func TestConformance(t *testing.T) {
	for _, tr := range Transports() {
		t.Run(tr.Info().Name, func(t *testing.T) {
			transporttest.Run(t, transporttest.Subject{Transport: tr, Copies: 2})
		})
	}
}
