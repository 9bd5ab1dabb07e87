package driver

import _ "net/netip"
