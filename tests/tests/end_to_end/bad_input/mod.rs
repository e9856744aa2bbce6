//! Bad input: each kind has its exit code, its error document, and a message that names the input,
//! the rule and the solution. Nothing incomplete stays on disk or in the store.

mod download;
mod hostile;
mod outlook;
mod outputs;
mod sidecar;
mod termination;
