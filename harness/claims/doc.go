// Package claims puts what two documents say of Binder to the test.
//
// A [Claim] is a file: the statement, with the document and section it stands in;
// what would refute it; the experiment, which measures typed numbers; and the
// rule, a pure function from those numbers to a [Judgement]. The rule is fixed
// before the numbers are known, and its tests feed it numbers that must support
// the claim and numbers that must refute it. Thresholds stand beside the rule as
// constants.
//
// A claim has a column for each of its subjects: the Binder devices that the
// command hands in ([Subject]), or transports by name where it speaks of other
// mechanisms. A subject that cannot be reached is [NotTestable], with the reason;
// what an experiment could not settle is [Inconclusive]. Experiments that several
// claims read are run once, by the [Bench].
//
// The package knows the contract of transports and the interface of Binder
// devices, and neither a concrete transport nor a concrete device.
//
// The documents are called D1 (the driver's memory mapping and single copy) and
// D2 (Binder's communication between processes); statements are put here in
// English.
package claims
