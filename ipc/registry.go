package ipc

import (
	"fmt"
	"path"
	"strings"
)

// Registry is the set of transports that a program knows. A program with
// transports of its own, in a module of its own, adds them here.
type Registry struct{ transports []Transport }

// NewRegistry holds the transports in the order given, which tables keep. Two
// of one name are a programming error and panic.
func NewRegistry(transports ...Transport) *Registry {
	r := &Registry{}
	for _, t := range transports {
		if _, err := r.Lookup(t.Info().Name); err == nil {
			panic("ipc: two transports named " + t.Info().Name)
		}
		r.transports = append(r.transports, t)
	}
	return r
}

// All returns every transport.
func (r *Registry) All() []Transport { return r.transports }

// Lookup finds a transport by its name, or wraps ErrUnknownTransport.
func (r *Registry) Lookup(name string) (Transport, error) {
	for _, t := range r.transports {
		if t.Info().Name == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("%w %q (ipcbench list shows them)", ErrUnknownTransport, name)
}

// Only is a registry of those transports of r that are named, in r's order, or
// wraps ErrUnknownTransport.
func (r *Registry) Only(names ...string) (*Registry, error) {
	selected, err := r.Select(names)
	if err != nil {
		return nil, err
	}
	only := &Registry{}
	for _, s := range selected {
		only.transports = append(only.transports, s.Transport)
	}
	return only, nil
}

// Selected is a transport that a user asked for.
type Selected struct {
	Transport
	// ByName: it was named, not matched by a pattern or the default, so its
	// absence is an error and no skip.
	ByName bool
}

// Select finds the transports of a list of names and glob patterns, in the
// registry's order and each once. An empty list selects all that are not
// optional. A name or pattern that nothing matches wraps ErrUnknownTransport.
func (r *Registry) Select(patterns []string) ([]Selected, error) {
	if len(patterns) == 0 {
		return r.defaults(), nil
	}
	wanted := map[string]bool{} // name -> by name
	for _, p := range patterns {
		if err := r.match(p, wanted); err != nil {
			return nil, err
		}
	}
	var out []Selected
	for _, t := range r.transports {
		if byName, ok := wanted[t.Info().Name]; ok {
			out = append(out, Selected{t, byName})
		}
	}
	return out, nil
}

func (r *Registry) defaults() []Selected {
	var out []Selected
	for _, t := range r.transports {
		if !t.Info().Optional {
			out = append(out, Selected{t, false})
		}
	}
	return out
}

func (r *Registry) match(pattern string, wanted map[string]bool) error {
	if !strings.ContainsAny(pattern, "*?[") {
		if _, err := r.Lookup(pattern); err != nil {
			return err
		}
		wanted[pattern] = true
		return nil
	}
	found := false
	for _, t := range r.transports {
		name := t.Info().Name
		ok, err := path.Match(pattern, name)
		if err != nil {
			return fmt.Errorf("transport pattern %q: %w", pattern, err)
		}
		if ok {
			found = true
			if _, have := wanted[name]; !have {
				wanted[name] = false
			}
		}
	}
	if !found {
		return fmt.Errorf("%w: nothing matches %q", ErrUnknownTransport, pattern)
	}
	return nil
}
