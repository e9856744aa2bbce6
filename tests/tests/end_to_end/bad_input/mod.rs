//! Bad input: each kind has its exit code, its error document, and a message that names the input,
//! the rule and the way out. Nothing half-done stays, neither on disk nor in the store.

mod download;
mod hostile;
mod outlook;
mod outputs;
mod sidecar;
mod termination;
