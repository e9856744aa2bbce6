//! What the end-to-end tests, the demo and the benches share: servers in process and their faults.
//!
//! Everything listens on loopback, on a port that the kernel chose, and ends when it is dropped.

pub mod background;
pub mod fault;
pub mod s3;
pub mod site;
