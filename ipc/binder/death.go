package binder

import (
	"fmt"
	"slices"
	"sync"

	"ipcbench/ipc/binder/abi"
)

// deaths are the death notifications that the process has requested from the
// driver, by the cookie that the driver gives back.
type deaths struct {
	mu       sync.Mutex
	last     uint64
	byCookie map[uint64]*deathRequest
}

// deathRequest is one request to the driver on behalf of all the links of a
// Proxy. It keeps the Proxy alive until the driver has forgotten the request.
type deathRequest struct {
	proxy  *Proxy
	cookie uint64
	links  []*DeathLink
	// over: the driver has been, or is being, told to clear it.
	over bool
}

// DeathLink is a recipient that waits for the death of an object.
type DeathLink struct {
	request   *deathRequest
	recipient func()
}

// LinkToDeath has recipient called, on a thread of the pool, when the process
// of the object dies. The link keeps the Proxy alive until Unlink or Close. An
// object that is known to be dead wraps DeadObject.
func (p *Proxy) LinkToDeath(recipient func()) (*DeathLink, error) {
	if p.closed.Load() {
		return nil, ErrClosed
	}
	if p.dead.Load() {
		return nil, fmt.Errorf("binder: link to death: %w", DeadObject)
	}
	link, isNew := p.ps.deaths.link(p, recipient)
	if !isNew {
		return link, nil
	}
	err := p.ps.do(func(t *IPCThreadState) error {
		if err := t.queueDeath(abi.BC_REQUEST_DEATH_NOTIFICATION, p.handle, link.request.cookie); err != nil {
			return err
		}
		return t.flush()
	})
	if err != nil {
		p.ps.deaths.cleared(link.request.cookie)
		return nil, fmt.Errorf("binder: link to death: %w", err)
	}
	return link, nil
}

// link adds a recipient to the Proxy's request, and makes one if there is none.
func (d *deaths) link(p *Proxy, recipient func()) (link *DeathLink, isNew bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := p.death.Load()
	if r == nil {
		isNew = true
		d.last++
		r = &deathRequest{proxy: p, cookie: d.last}
		d.byCookie[r.cookie] = r
		p.death.Store(r)
	}
	link = &DeathLink{request: r, recipient: recipient}
	r.links = append(r.links, link)
	return link, isNew
}

// Unlink undoes LinkToDeath. It reports whether the recipient has not been
// called and will not be.
func (l *DeathLink) Unlink() bool {
	r := l.request
	p := r.proxy
	d := &p.ps.deaths
	d.mu.Lock()
	at := slices.Index(r.links, l)
	if at < 0 {
		d.mu.Unlock()
		return false
	}
	r.links = slices.Delete(r.links, at, at+1)
	last := len(r.links) == 0
	d.mu.Unlock()
	if last {
		p.ps.do(func(t *IPCThreadState) error { return t.clearDeath(p) })
	}
	return true
}

// end takes the request of a Proxy, with the links that are left, for its end.
// It is nil if there is none.
func (d *deaths) end(r *deathRequest) (links []*DeathLink, mine bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r == nil || r.over {
		return nil, false
	}
	r.over = true
	r.proxy.death.CompareAndSwap(r, nil)
	links, r.links = r.links, nil
	return links, true
}

// cleared forgets a request that the driver has forgotten.
func (d *deaths) cleared(cookie uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.byCookie[cookie]; r != nil {
		r.proxy.death.CompareAndSwap(r, nil)
		delete(d.byCookie, cookie)
	}
}

func (d *deaths) find(cookie uint64) *deathRequest {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byCookie[cookie]
}

// clearDeath tells the driver that no notice is wanted any more.
func (t *IPCThreadState) clearDeath(p *Proxy) error {
	r := p.death.Load()
	if _, mine := p.ps.deaths.end(r); !mine {
		return nil
	}
	if err := t.queueDeath(abi.BC_CLEAR_DEATH_NOTIFICATION, p.handle, r.cookie); err != nil {
		return err
	}
	return t.flush()
}

// deadBinder follows BR_DEAD_BINDER: it clears the request, tells the
// recipients, and then the driver that they have been told.
func (t *IPCThreadState) deadBinder(cookie uint64) error {
	r := t.ps.deaths.find(cookie)
	if r != nil {
		r.proxy.dead.Store(true)
		links, mine := t.ps.deaths.end(r)
		if mine {
			if err := t.queueDeath(abi.BC_CLEAR_DEATH_NOTIFICATION, r.proxy.handle, cookie); err != nil {
				return err
			}
		}
		for _, l := range links {
			l.recipient()
		}
	}
	return t.queueUint64(abi.BC_DEAD_BINDER_DONE, cookie)
}
