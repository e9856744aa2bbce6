//! A store with problems. Error document, termination message and last log line name the object, the
//! store, the cause and the solution; the kind of the failure is right; it comes soon; and nothing
//! incomplete is left.

mod access;
mod data;
mod endpoint;
mod outlook;
mod web;
