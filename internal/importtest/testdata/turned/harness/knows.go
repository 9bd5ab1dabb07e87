package harness

import _ "ipcbench/ipc/pipe"
