package devicetest_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/inproc"
	"ipcbench/ipc/binder/devicetest"
)

func TestInproc(t *testing.T) { run(t, inprocBackend(inproc.Options{})) }

// TestAudited has the driver checked, in each transaction of each row, for records that
// it changes without saving them first.
func TestAudited(t *testing.T) {
	devicetest.Run(t, inprocBackend(inproc.Options{ArenaSize: 4 << 20, Audit: func(err error) { t.Error(err) }}))
}

// inprocDevices are the devices of this process by the name of their context.
var inprocDevices sync.Map

const inprocContext = "devicetest:inproc"

func inprocBackend(o inproc.Options) devicetest.Backend {
	return devicetest.Backend{
		Device:          "inproc",
		Release:         goRelease,
		InProcess:       true,
		SecurityContext: inprocContext,
		Deviations:      goDeviations,
		Stats: func(node string) (string, error) {
			d, ok := inprocDevices.Load(node)
			if !ok {
				return "", os.ErrNotExist
			}
			var text strings.Builder
			err := d.(*inproc.Device).Driver().WriteStats(&text)
			return text.String(), err
		},
		NewContext: func(tb testing.TB) string {
			d, err := inproc.New(o)
			if err != nil {
				tb.Fatal(err)
			}
			node := fmt.Sprintf("inproc-%d", contexts.Add(1))
			inprocDevices.Store(node, d)
			tb.Cleanup(func() {
				inprocDevices.Delete(node)
				if err := d.Close(); err != nil {
					tb.Error(err)
				}
			})
			return node
		},
		Open: func(node string, who devicetest.Identity) (device.Device, error) {
			d, ok := inprocDevices.Load(node)
			if !ok {
				return nil, os.ErrNotExist
			}
			return openAs{d.(*inproc.Device), inproc.Identity{PID: who.PID, EUID: who.EUID, SecurityContext: inprocContext}}, nil
		},
	}
}

// openAs is the device as somebody sees it.
type openAs struct {
	*inproc.Device
	who inproc.Identity
}

func (d openAs) Open(flags int) (device.File, error) { return d.OpenAs(d.who, flags) }
