package arena

// Link is a record's place in a list.
type Link[T any] struct {
	Prev, Next Ref[T]
}

// Ends are the two ends of a list; they lie in a record of the list's owner.
type Ends[T any] struct {
	First, Last Ref[T]
}

// List is a doubly linked list of records. Operations that change its ends
// take their address inside a record that the transaction edits.
type List[T any] struct {
	// Link is the record's place in this list.
	Link func(*T) *Link[T]
	// Rest is the part of the record in which that lies, if it is saved apart.
	Rest func(*T) *Header
}

// edit is the record's place, for changing.
func (l *List[T]) edit(tx *Tx, r Ref[T]) *Link[T] {
	return l.Link(editPart(tx, r, l.Rest))
}

// PushBack puts r at the end.
func (l *List[T]) PushBack(tx *Tx, e *Ends[T], r Ref[T]) {
	link := l.edit(tx, r)
	link.Prev, link.Next = e.Last, 0
	if e.Last == 0 {
		e.First = r
	} else {
		l.edit(tx, e.Last).Next = r
	}
	e.Last = r
}

// PushFront puts r at the beginning.
func (l *List[T]) PushFront(tx *Tx, e *Ends[T], r Ref[T]) {
	link := l.edit(tx, r)
	link.Prev, link.Next = 0, e.First
	if e.First == 0 {
		e.Last = r
	} else {
		l.edit(tx, e.First).Prev = r
	}
	e.First = r
}

// Insert puts r behind prev, or at the beginning if prev is 0.
func (l *List[T]) Insert(tx *Tx, e *Ends[T], prev, r Ref[T]) {
	if prev == 0 {
		l.PushFront(tx, e, r)
		return
	}
	before := l.edit(tx, prev)
	if before.Next == 0 {
		l.PushBack(tx, e, r)
		return
	}
	link := l.edit(tx, r)
	link.Prev, link.Next = prev, before.Next
	l.edit(tx, before.Next).Prev = r
	before.Next = r
}

// Remove takes r, which is in the list, out of it.
func (l *List[T]) Remove(tx *Tx, e *Ends[T], r Ref[T]) {
	link := l.edit(tx, r)
	if link.Prev == 0 {
		e.First = link.Next
	} else {
		l.edit(tx, link.Prev).Next = link.Next
	}
	if link.Next == 0 {
		e.Last = link.Prev
	} else {
		l.edit(tx, link.Next).Prev = link.Prev
	}
	*link = Link[T]{}
}

// Check says what is wrong with the list and counts its records.
func (l *List[T]) Check(a *Arena, e Ends[T]) (n int, err error) {
	var prev Ref[T]
	for r := e.First; r != 0; r = l.Link(r.In(a)).Next {
		if n++; l.Link(r.In(a)).Prev != prev || n > int(a.lines) {
			return n, damagedRecord(uint32(r), "record in its place of the list")
		}
		prev = r
	}
	if e.Last != prev {
		return n, damagedRecord(uint32(e.Last), "last record of the list")
	}
	return n, nil
}
