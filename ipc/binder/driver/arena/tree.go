package arena

// Branch is a record's place in a tree. A record has one for each tree that
// it can be in at the same time.
type Branch[T any] struct {
	left, right Ref[T]
}

// Tree orders records by a number that does not change while they are in the
// tree. It is a treap: a search tree by key and a heap by a priority that is a
// hash of the reference, which keeps it balanced whatever the order of
// insertion and makes a change touch two records on average.
//
// The root lies in some record of the owner's; operations that change it take
// its address inside a record that the transaction edits.
type Tree[T any] struct {
	// Key is the number by which the tree is ordered; no two are equal.
	Key func(*T) uint64
	// Branch is the record's place in this tree.
	Branch func(*T) *Branch[T]
	// Rest is the part of the record in which that lies, if it is saved apart.
	Rest func(*T) *Header
}

// edit is the record's place, for changing.
func (t *Tree[T]) edit(tx *Tx, r Ref[T]) *Branch[T] {
	return t.Branch(editPart(tx, r, t.Rest))
}

// above says whether a belongs nearer to the root than b.
func above[T any](a, b Ref[T]) bool {
	pa, pb := mix(uint32(a)), mix(uint32(b))
	return pa > pb || pa == pb && a > b
}

// mix spreads neighbouring numbers over all 32 bits (the finaliser of
// MurmurHash3).
func mix(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// Find is the record with the key, 0 if there is none.
func (t *Tree[T]) Find(a *Arena, root Ref[T], key uint64) Ref[T] {
	for root != 0 {
		p := root.In(a)
		switch k := t.Key(p); {
		case key == k:
			return root
		case key < k:
			root = t.Branch(p).left
		default:
			root = t.Branch(p).right
		}
	}
	return 0
}

// Ceiling is the record with the smallest key that is not below key, 0 if
// there is none.
func (t *Tree[T]) Ceiling(a *Arena, root Ref[T], key uint64) Ref[T] {
	var best Ref[T]
	for root != 0 {
		p := root.In(a)
		if t.Key(p) >= key {
			best, root = root, t.Branch(p).left
		} else {
			root = t.Branch(p).right
		}
	}
	return best
}

// First is the record with the smallest key, 0 in an empty tree.
func (t *Tree[T]) First(a *Arena, root Ref[T]) Ref[T] { return t.Ceiling(a, root, 0) }

// Next is the record that follows r, 0 after the last.
func (t *Tree[T]) Next(a *Arena, root, r Ref[T]) Ref[T] {
	key := t.Key(r.In(a))
	if key == 1<<64-1 {
		return 0
	}
	return t.Ceiling(a, root, key+1)
}

// Insert puts a record into the tree.
func (t *Tree[T]) Insert(tx *Tx, root *Ref[T], r Ref[T]) {
	a := tx.arena
	key := t.Key(r.In(a))
	var parent Ref[T]
	var right bool
	cur := *root
	for cur != 0 && above(cur, r) {
		p := cur.In(a)
		parent, right = cur, t.Key(p) < key
		cur = t.child(p, right)
	}
	b := t.edit(tx, r)
	t.split(tx, cur, key, &b.left, &b.right)
	*t.place(tx, root, parent, right) = r
}

// split divides a subtree into the records below key and those above.
func (t *Tree[T]) split(tx *Tx, cur Ref[T], key uint64, low, high *Ref[T]) {
	for cur != 0 {
		b := t.edit(tx, cur)
		if t.Key(cur.In(tx.arena)) < key {
			*low, low, cur = cur, &b.right, b.right
		} else {
			*high, high, cur = cur, &b.left, b.left
		}
	}
	*low, *high = 0, 0
}

// Remove takes a record that is in the tree out of it.
func (t *Tree[T]) Remove(tx *Tx, root *Ref[T], r Ref[T]) {
	a := tx.arena
	key := t.Key(r.In(a))
	var parent Ref[T]
	var right bool
	for cur := *root; cur != r; {
		if cur == 0 {
			panic(damagedRecord(uint32(r), "member of its tree"))
		}
		p := cur.In(a)
		parent, right = cur, t.Key(p) < key
		cur = t.child(p, right)
	}
	b := t.edit(tx, r)
	t.merge(tx, t.place(tx, root, parent, right), b.left, b.right)
	*b = Branch[T]{}
}

// merge joins two trees, all keys of low being below those of high.
func (t *Tree[T]) merge(tx *Tx, at *Ref[T], low, high Ref[T]) {
	for low != 0 && high != 0 {
		if above(low, high) {
			*at = low
			at = &t.edit(tx, low).right
			low = *at
		} else {
			*at = high
			at = &t.edit(tx, high).left
			high = *at
		}
	}
	if low == 0 {
		low = high
	}
	*at = low
}

func (t *Tree[T]) child(p *T, right bool) Ref[T] {
	if right {
		return t.Branch(p).right
	}
	return t.Branch(p).left
}

// place is where the parent keeps its child: in the root if it has no parent.
func (t *Tree[T]) place(tx *Tx, root *Ref[T], parent Ref[T], right bool) *Ref[T] {
	if parent == 0 {
		return root
	}
	b := t.edit(tx, parent)
	if right {
		return &b.right
	}
	return &b.left
}

// Check says what is wrong with the tree: order, heap, or a reference to
// something else than a live record of the kind. It returns how many records
// the tree has.
func (t *Tree[T]) Check(a *Arena, kind Kind[T], root Ref[T]) (n int, err error) {
	return t.check(a, kind, root, 0, 1<<64-1)
}

func (t *Tree[T]) check(a *Arena, kind Kind[T], r Ref[T], low, high uint64) (int, error) {
	if r == 0 {
		return 0, nil
	}
	if !kind.Is(a, r) {
		return 0, damagedRecord(uint32(r), kind.info.name)
	}
	p := r.In(a)
	key, b := t.Key(p), t.Branch(p)
	if key < low || key > high {
		return 0, damagedRecord(uint32(r), "record in its place of the tree")
	}
	for _, c := range [...]Ref[T]{b.left, b.right} {
		if c != 0 && !above(r, c) {
			return 0, damagedRecord(uint32(c), "record below its parent")
		}
	}
	var left, right int
	var err error
	if key > low || b.left == 0 {
		left, err = t.check(a, kind, b.left, low, key-1)
	} else {
		err = damagedRecord(uint32(r), "leaf of its tree")
	}
	if err == nil {
		if key < high || b.right == 0 {
			right, err = t.check(a, kind, b.right, key+1, high)
		} else {
			err = damagedRecord(uint32(r), "leaf of its tree")
		}
	}
	return left + right + 1, err
}
