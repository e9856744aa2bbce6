//! Input from strangers, thousands of times per run: whatever the bytes are, there is an answer or an
//! error, never a panic, and never more memory than a small multiple of what came in.
//!
//! Arbitrary bytes, and the bytes of the golden vectors with some of them changed, cut, doubled or
//! exchanged: those get further.

#[cfg(test)]
mod memory;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod mutation;
#[cfg(test)]
mod texts;
