package binder

import _ "ipcbench/ipc/binder/driver"
