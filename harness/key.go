package harness

// Key names a cell.
type Key struct {
	Transport    string `json:"transport"`
	Workload     string `json:"workload"`
	RequestBytes int    `json:"request_bytes"`
	ReplyBytes   int    `json:"reply_bytes"`
	Clients      int    `json:"clients"`
	Wait         string `json:"wait"`
	Placement    string `json:"placement"`
}
