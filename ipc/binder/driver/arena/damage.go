package arena

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// condemned stands where the magic number was in an arena that was given up.
const condemned = 0x64656d6e65646e6f

// Survive runs f, and returns the discovery that the arena is damaged, or that its
// memory is gone, as an error that wraps ErrDamaged. What f changed since its last
// commit is not undone, and the lock is not given back if f has it.
func Survive(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	done := false
	defer func() {
		if !done {
			err = Damage(recover())
		}
	}()
	err = f()
	done = true
	return err
}

// Damage is what a panic tells of the arena, as an error that wraps ErrDamaged. It
// panics again with anything else.
func Damage(r any) error {
	e, ok := r.(error)
	if !ok {
		panic(r)
	}
	var fault interface{ Addr() uintptr }
	switch {
	case errors.Is(e, ErrDamaged):
		return e
	case errors.As(e, &fault):
		return fmt.Errorf("%w: its memory is gone (%w)", ErrDamaged, e)
	}
	panic(r)
}

// Intact says whether the arena can be used: nobody has condemned it.
func (a *Arena) Intact() bool {
	return Survive(func() error { return a.check() }) == nil
}

func (a *Arena) check() error {
	if a.header.sound != magic {
		return fmt.Errorf("%w: given up", ErrDamaged)
	}
	return nil
}

// Condemn gives an arena up whose memory was damaged from outside: every Begin, in
// any process, panics with ErrDamaged from now on. It takes the lock from whoever
// has it, because that one may have run into the damage with the lock held, and wakes
// those who wait for it and those who wait on the words.
func (a *Arena) Condemn(words []*WaitWord) error {
	return Survive(func() error {
		a.header.magic, a.header.sound = condemned, condemned
		a.header.lock.Store(0)
		a.host.Wake(&a.header.lock, everybody)
		for _, w := range words {
			w.advance()
			a.host.Wake(&w.word, everybody)
		}
		return nil
	})
}

// everybody is the number of sleepers that are all.
const everybody = 1<<31 - 1
