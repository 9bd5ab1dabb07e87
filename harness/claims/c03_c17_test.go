package claims

import "ipcbench/harness/evidence"

func headers(perSize ...float64) copyCounts {
	sizes := []int{0, 64, 1 << 20}
	var n copyCounts
	for i, h := range perSize {
		n.Sizes = append(n.Sizes, counted{Bytes: sizes[i], Header: h})
	}
	return n
}

func paths(reply float64, requestRegion, replyRegion string) replyPaths {
	return replyPaths{Paths: []replyPath{
		{Bytes: 64, Request: 1, Reply: reply, RequestRegion: requestRegion, ReplyRegion: replyRegion},
		{Bytes: 1 << 20, Request: 1, Reply: reply, RequestRegion: requestRegion, ReplyRegion: replyRegion},
	}}
}

func init() {
	register("C3",
		example{"constant", headers(600, 604, 590), Supported},
		example{"grows with the payload", headers(600, 700, 5000), Refuted},
		example{"none", headers(0, 0, 0), Refuted},
		example{"a little more", headers(600, 604, 900), Inconclusive},
		example{"no empty message", copyCounts{Sizes: []counted{{Bytes: 64, Header: 600}}}, Inconclusive},
	)
	register("C17",
		example{"alike", paths(1, "1:7", "1:8"), Supported},
		example{"copied twice", paths(2, "1:7", "1:8"), Refuted},
		example{"in the request's memory", paths(1, "1:7", "1:7"), Refuted},
		example{"not found", paths(1, "", ""), Inconclusive},
		example{"read from a scan", pathsOf(copyCounts{Sizes: []counted{{Bytes: 64, Request: 1, Reply: 1,
			Sources: map[string]evidence.Finding{
				"canary_request": scanned(0, 7), "canary_reply": scanned(0, 8),
			}}}}), Supported},
		example{"the same device, mapped by two processes", pathsOf(copyCounts{Sizes: []counted{{Bytes: 64, Request: 1, Reply: 1,
			Sources: map[string]evidence.Finding{
				"canary_request": viewed("/dev/binder", 80), "canary_reply": viewed("/dev/binder", 81),
			}}}}), Supported},
		example{"the same device of one process", pathsOf(copyCounts{Sizes: []counted{{Bytes: 64, Request: 1, Reply: 1,
			Sources: map[string]evidence.Finding{
				"canary_request": viewed("/dev/binder", 80), "canary_reply": viewed("/dev/binder", 80),
			}}}}), Refuted},
		example{"a scan that found two objects", pathsOf(copyCounts{Sizes: []counted{{Bytes: 64, Request: 1, Reply: 1,
			Sources: map[string]evidence.Finding{
				"canary_request": scanned(0, 7), "canary_reply": scanned(7, 8),
			}}}}), Inconclusive},
	)
}

func scanned(inodes ...uint64) (f evidence.Finding) {
	for _, inode := range inodes {
		f.Places = append(f.Places, evidence.Place{Device: 1, Inode: inode})
	}
	return f
}

// viewed is a scan that found a payload in the mapping of a device, and in the
// sender's private memory.
func viewed(mapping string, pid int) evidence.Finding {
	return evidence.Finding{Places: []evidence.Place{
		{Views: []evidence.View{{PID: pid, Mapping: mapping}}},
		{Views: []evidence.View{{PID: 1}}},
	}}
}
