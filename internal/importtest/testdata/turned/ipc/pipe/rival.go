package pipe

import _ "ipcbench/ipc/socket"
