package harness

import _ "ipcbench/results"
