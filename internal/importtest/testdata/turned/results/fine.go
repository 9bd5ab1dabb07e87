package results

import _ "ipcbench/harness"
