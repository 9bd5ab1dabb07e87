// Package transport carries the benchmark's messages through Binder: one
// service with the pool's threads behind it, called by every client.
//
// A channel is a context of a Binder device of its own. Its creator plays the
// service manager; the server registers one object there, and clients look it
// up and call it by its handle, as on Android. Three ways to carry payload
// differ in nothing else:
//
//   - plain: the driver copies the request from the producer's memory into the
//     server's region, where it is consumed in place, and the reply likewise;
//   - twice: the receiver copies it out of the region again, which isolates
//     what the second copy of other mechanisms costs;
//   - parcel: the payload is marshalled into a Parcel first, as users of
//     libbinder do.
//
// Binder orders one-way calls among themselves, not against two-way ones: a
// call would overtake what was sent before it. A client that has sent something
// therefore asks, before its next call and before its Stop, whether all was
// handled, and the server keeps the answer back until it was.
package transport
