package kernel

import _ "ipcbench/ipc/binder/driver"
