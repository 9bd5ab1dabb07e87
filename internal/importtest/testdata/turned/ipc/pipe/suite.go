package pipe

import _ "ipcbench/ipc/transporttest"
