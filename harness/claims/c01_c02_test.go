package claims

import "ipcbench/harness/evidence"

// copying is counts of a transport that makes so many copies each way, at two
// sizes and at none.
func copying(request, reply float64, statuses ...string) copyCounts {
	n := copyCounts{Sizes: []counted{{Bytes: 0}}}
	for _, size := range []int{64, 1 << 20} {
		c := counted{Bytes: size, Request: request, Reply: reply, Header: 256, Sources: map[string]evidence.Finding{}}
		for i, status := range statuses {
			c.Sources[[]string{"accounting", "canary_reply"}[i]] = evidence.Finding{Status: status}
		}
		n.Sizes = append(n.Sizes, c)
	}
	return n
}

func init() {
	mixed := copying(2, 2)
	mixed.Sizes[2].Request, mixed.Sizes[2].Reply = 1, 1
	register("C1",
		example{"two each way", copying(2, 2, evidence.Agrees), Supported},
		example{"ledger only", copying(2, 2, evidence.NotPermitted), Supported},
		example{"one each way", copying(1, 1, evidence.Agrees), Refuted},
		example{"three replies", copying(2, 3), Refuted},
		example{"small ones only", mixed, Conditional},
		example{"contradicted", copying(2, 2, evidence.Agrees, evidence.Disagrees), Inconclusive},
		example{"nothing carried", copyCounts{Sizes: []counted{{}}}, Inconclusive},
	)
	calls := copying(1, 1)
	calls.Sizes[1].Sources["accounting"] = evidence.Finding{Status: evidence.Disagrees,
		Counted: map[string]float64{"syscalls": 811, "ioctl_bytes": 64}, Ledger: map[string]float64{"syscalls": 804, "ioctl_bytes": 64}}
	bytes := copying(1, 1)
	bytes.Sizes[1].Sources["accounting"] = evidence.Finding{Status: evidence.Disagrees,
		Counted: map[string]float64{"syscalls": 811, "ioctl_bytes": 128}, Ledger: map[string]float64{"syscalls": 804, "ioctl_bytes": 64}}
	bell := copying(1, 1)
	bell.Sizes[1].Sources["accounting"] = evidence.Finding{Status: evidence.Disagrees,
		Counted: map[string]float64{"read_bytes": 32}, Ledger: map[string]float64{"read_bytes": 0}}
	mixed = copying(1, 1)
	mixed.Sizes[2].Reply = 2
	register("C2",
		example{"one each way", copying(1, 1, evidence.Agrees), Supported},
		example{"copied out again", copying(2, 2), Refuted},
		example{"replies copied twice", copying(1, 2), Refuted},
		example{"none", copying(0, 0), Refuted},
		example{"small ones only", mixed, Conditional},
		example{"more calls than the ledger has", calls, Supported},
		example{"a payload more than the ledger has", bytes, Inconclusive},
		example{"a doorbell more than the ledger has", bell, Supported},
		example{"a hidden copy", copying(1, 1, evidence.Agrees, evidence.Disagrees), Inconclusive},
	)
}
