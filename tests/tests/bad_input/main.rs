//! Bad input: each kind has its exit code, its error document, and a message that names the input,
//! the rule and the way out. Nothing half-done stays, neither on disk nor in the store.

#[cfg(test)]
mod download;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod outlook;
#[cfg(test)]
mod outputs;
#[cfg(test)]
mod sidecar;
#[cfg(test)]
mod termination;
