package arena

import "math/bits"

const (
	idsFan    = 32
	idsLevels = 3 // above the leaves: 1024, 32 Ki, 1 Mi, 32 Mi numbers
)

// ids is a node of the tree of an IDs: at a leaf, words are bits of numbers
// in use; above, references to children.
type ids struct {
	Header
	full  uint32 // a bit for each word or child that has no free number
	level uint32 // 0: a leaf
	words [idsFan]uint32
}

var idsKinds = NewKind[ids](idsKind, "ids", 0)

// IDs hands out the lowest free of the numbers from 0 to 32 Mi - 1, in time
// that does not grow with how many are in use. It lies in a record of its
// owner's, which the transaction edits. The zero IDs has all numbers free.
type IDs struct {
	root Ref[ids]
}

// span is how many numbers one word or child of a node at a level covers.
func span(level uint32) uint32 { return 32 << (5 * level) }

// Take takes the lowest free number that is not below min. The error wraps
// ErrFull.
func (s *IDs) Take(tx *Tx, min uint32) (uint32, error) {
	if s.root == 0 {
		root, err := idsKinds.New(tx)
		if err != nil {
			return 0, err
		}
		s.root = root
	}
	for {
		n, ok, err := s.take(tx, s.root, 0, min)
		if ok || err != nil {
			return n, err
		}
		if err := s.raise(tx); err != nil {
			return 0, err
		}
	}
}

// raise puts a new root above the old one.
func (s *IDs) raise(tx *Tx) error {
	level := s.root.In(tx.arena).level + 1
	if level > idsLevels {
		return ErrFull
	}
	root, err := idsKinds.New(tx)
	if err != nil {
		return err
	}
	p := root.Edit(tx)
	p.level, p.words[0] = level, uint32(s.root)
	if s.root.In(tx.arena).full == 1<<idsFan-1 {
		p.full = 1
	}
	s.root = root
	return nil
}

// take looks for a number in the node that begins at base.
func (s *IDs) take(tx *Tx, r Ref[ids], base, min uint32) (uint32, bool, error) {
	p := r.In(tx.arena)
	width := span(p.level)
	for free := ^p.full; free != 0; free &= free - 1 {
		i := uint32(bits.TrailingZeros32(free))
		start := base + i*width
		if uint64(start)+uint64(width) <= uint64(min) {
			continue
		}
		var n uint32
		var ok bool
		var err error
		if p.level == 0 {
			n, ok = takeBit(tx, r, i, start, min)
		} else {
			n, ok, err = s.takeChild(tx, r, i, start, min)
		}
		if ok || err != nil {
			return n, ok, err
		}
	}
	return 0, false, nil
}

// takeBit takes a number from word i of a leaf.
func takeBit(tx *Tx, r Ref[ids], i, start, min uint32) (uint32, bool) {
	free := ^r.In(tx.arena).words[i]
	if min > start {
		free &= ^uint32(0) << (min - start)
	}
	if free == 0 {
		return 0, false
	}
	bit := uint32(bits.TrailingZeros32(free))
	p := r.Edit(tx)
	p.words[i] |= 1 << bit
	if p.words[i] == 1<<32-1 {
		p.full |= 1 << i
	}
	return start + bit, true
}

// takeChild takes a number from child i, which it creates if need be.
func (s *IDs) takeChild(tx *Tx, r Ref[ids], i, start, min uint32) (uint32, bool, error) {
	p := r.In(tx.arena)
	child := Ref[ids](p.words[i])
	if child == 0 {
		c, err := idsKinds.New(tx)
		if err != nil {
			return 0, false, err
		}
		c.Edit(tx).level = p.level - 1
		r.Edit(tx).words[i] = uint32(c)
		child = c
	}
	n, ok, err := s.take(tx, child, start, min)
	if ok && child.In(tx.arena).full == 1<<idsFan-1 {
		r.Edit(tx).full |= 1 << i
	}
	return n, ok, err
}

// Return gives a number back that Take handed out. Nodes that have no number
// in use any more are freed.
func (s *IDs) Return(tx *Tx, n uint32) {
	if returnID(tx, s.root, n) {
		s.root = 0
	}
}

// returnID frees the node and says so if the number was its last.
func returnID(tx *Tx, r Ref[ids], n uint32) (empty bool) {
	p := r.Edit(tx)
	width := span(p.level)
	i := n / width % idsFan
	p.full &^= 1 << i
	switch {
	case p.level == 0:
		p.words[i] &^= 1 << (n % width)
	case returnID(tx, Ref[ids](p.words[i]), n):
		p.words[i] = 0
	}
	if p.words != [idsFan]uint32{} {
		return false
	}
	idsKinds.Free(tx, r)
	return true
}
