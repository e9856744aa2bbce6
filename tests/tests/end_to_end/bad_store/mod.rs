//! A store that is not as it should be. The program says, in error document, termination message and
//! last words, which object, which store, why, and the way out; of what kind the failure is; soon;
//! and leaves nothing half-done.

mod access;
mod data;
mod endpoint;
mod outlook;
mod web;
