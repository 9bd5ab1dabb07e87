package harness

// AddVariant adds a twin of every cell under a name of its own, with workers of
// its own, that have something injected into every operation. Self-tests prove
// with it that a regression is found.
func (r *Run) AddVariant(name string, inject func(Key) Injection) {
	for _, c := range r.cells {
		if c.channel.variant != "" {
			continue
		}
		twin := *c
		twin.record.Variant, twin.channel.variant = name, name
		twin.injection = inject(c.record.Key)
		r.cells = append(r.cells, &twin)
	}
}

// TimesOnly leaves out what a self-test of latencies does not need: evidence
// and floors.
func (r *Run) TimesOnly() {
	r.NoEvidence()
	r.NoFloors()
}

// NoEvidence leaves out the passes that check the ledger.
func (r *Run) NoEvidence() { r.evidence = false }

// NoFloors leaves out what the machine allows at best.
func (r *Run) NoFloors() { r.floors = nil }
