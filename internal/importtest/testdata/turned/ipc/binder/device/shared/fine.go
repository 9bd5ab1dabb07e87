package shared

import _ "ipcbench/ipc/binder/driver"
import _ "os"
