// Package env captures the machine and the build that a result was taken on.
package env

// Environment is the machine and build that a result was taken on.
type Environment struct {
	Time           string `json:"time"` // RFC 3339
	Hostname       string `json:"hostname,omitempty"`
	OS             string `json:"os"`
	Kernel         string `json:"kernel"`
	Arch           string `json:"arch"`
	CPU            CPU    `json:"cpu"`
	Memory         uint64 `json:"memory_bytes"`
	Virtualisation string `json:"virtualisation,omitempty"`
	// Emulated says that timings hold within one run at most, and Emulation
	// how: "tcg" of qemu, or "user-mode" Linux.
	Emulated    bool              `json:"emulated,omitempty"`
	Emulation   string            `json:"emulation,omitempty"`
	Mitigations map[string]string `json:"mitigations,omitempty"`
	Limits      map[string]string `json:"limits,omitempty"`
	Go          string            `json:"go"`
	Commit      string            `json:"commit,omitempty"`
	Dirty       bool              `json:"dirty,omitempty"`
	Profiled    bool              `json:"profiled,omitempty"` // compiled with a profile of earlier runs
	Load        [3]float64        `json:"load"`
	ClockReadNS float64           `json:"clock_read_ns,omitempty"`
	Privileged  bool              `json:"privileged"`
	Facts       map[string]string `json:"facts,omitempty"`
}

// CPU of a machine.
type CPU struct {
	Model    string            `json:"model"`
	Online   int               `json:"online"`
	Allowed  []int             `json:"allowed"` // that this process may run on
	MHz      float64           `json:"mhz,omitempty"`
	Governor string            `json:"governor,omitempty"`
	SMT      string            `json:"smt,omitempty"`
	Caches   map[string]string `json:"caches,omitempty"` // "L1d": "32K"
}
