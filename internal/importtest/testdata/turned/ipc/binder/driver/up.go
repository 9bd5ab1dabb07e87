package driver

import _ "ipcbench/ipc/binder/device"
