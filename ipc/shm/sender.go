package shm

import (
	"encoding/binary"
	"fmt"

	"ipcbench/ipc"
)

// sender is the sending end of a lane.
type sender struct {
	lane
	published, released signal

	position uint32 // of the next message
	free     uint32 // the receiver is known to be done up to here
	heard    uint32 // what released was when last looked at; may lag behind free
	start    uint32 // position at which slot 0 was last begun with
}

func (s *sender) full() bool { return s.position-s.free == uint32(s.slots)*step }

// reserve returns the slot for the next message, waiting for one if all are in
// use. When the receiver is done with everything, the first slot is used again:
// walking through the ring would cost cache misses on every message.
func (s *sender) reserve() (slot int, err error) {
	if s.full() {
		if err := s.await(); err != nil {
			return 0, err
		}
	}
	if s.free == s.position {
		s.start = s.position
	}
	return s.slotOf(s.position, s.start), nil
}

// await waits until the receiver is done with more than is known. What it says
// can lag behind what is known, but goes forward only; else a hostile peer could
// keep this end busy for ever.
func (s *sender) await() error {
	for known := s.free; s.free == known; {
		v, err := s.released.wait(s.heard)
		if err != nil {
			return err
		}
		if int32(v-s.heard) < 0 {
			return fmt.Errorf("%w: the peer takes back what it was done with", ipc.ErrProtocol)
		}
		s.heard = v
		if err := s.receiverDone(v); err != nil {
			return err
		}
	}
	return nil
}

// drain waits until the receiver is done with everything.
func (s *sender) drain() error {
	for s.free != s.position {
		if err := s.await(); err != nil {
			return err
		}
	}
	return nil
}

// receiverDone takes note of how far the receiver says it is done, which may be
// older than what it said in another way.
func (s *sender) receiverDone(position uint32) error {
	ahead := int32(position&^sleeping - s.free)
	if ahead > int32(s.position-s.free) {
		return fmt.Errorf("%w: the peer is done with messages that it was not sent", ipc.ErrProtocol)
	}
	if ahead > 0 {
		s.free += uint32(ahead)
	}
	return nil
}

// publish sends the message in the slot that reserve returned. done is how far
// this end is done with the other lane, which spares the peer a look at that
// lane's own cache line.
func (s *sender) publish(slot int, h ipc.Header, place uint64, done uint32) {
	e := s.entry(slot)
	h.Put(e)
	binary.LittleEndian.PutUint64(e[placeAt:], place)
	binary.LittleEndian.PutUint32(s.control[startAt:], s.start)
	binary.LittleEndian.PutUint32(s.control[doneAt:], done)
	s.position += step
	s.published.raise(s.position)
}
