package driver

import _ "os"
