package attic

import _ "fmt"
