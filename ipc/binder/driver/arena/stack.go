package arena

// Stack is a singly linked list of records, of which mostly the first is taken.
// Doing so touches no other record: on another CPU's cache line, that is what
// costs.
type Stack[T any] struct {
	// Under is the record below this one in the stack.
	Under func(*T) *Ref[T]
}

// Push puts r on the top, which lies in a record that the transaction edits.
func (s *Stack[T]) Push(tx *Tx, top *Ref[T], r Ref[T]) {
	*s.Under(r.Edit(tx)) = *top
	*top = r
}

// Remove takes r, which is in the stack, out of it, from however deep.
func (s *Stack[T]) Remove(tx *Tx, top *Ref[T], r Ref[T]) {
	under := s.Under(r.Edit(tx))
	if *top == r {
		*top = *under
	} else {
		over := *top
		for *s.Under(over.In(tx.arena)) != r {
			over = *s.Under(over.In(tx.arena))
		}
		*s.Under(over.Edit(tx)) = *under
	}
	*under = 0
}

// Check says what is wrong with the stack and counts its records.
func (s *Stack[T]) Check(a *Arena, top Ref[T]) (n int, err error) {
	for r := top; r != 0; r = *s.Under(r.In(a)) {
		if n++; n > int(a.lines) {
			return n, damagedRecord(uint32(r), "record in its place of the stack")
		}
	}
	return n, nil
}
