package transporttest

import _ "ipcbench/ipc"
