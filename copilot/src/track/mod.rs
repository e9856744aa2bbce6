//! When does main start, when does it end, and how? The heart of the sidecar.
//!
//! Sources ([`source`]) only *emit* [`Event`]s; the [`Tracker`], a state machine without I/O or
//! clock, turns them into "main started" and "main exited with this status"; [`identify`] holds
//! the rules of who main is; [`place`] finds our own pod. [`watch`] runs one source beside SIGTERM
//! and the time limits until main is over. Uploads, stores and Flyte never appear here.
//! Called by the `sidecar` command, and by `ready` for [`readiness`].

pub mod cgroup;
pub mod decision;
pub mod directory;
pub mod event;
pub mod identify;
pub mod kubelet;
pub mod neighbours;
pub mod place;
mod proc_file;
pub mod readiness;
#[cfg(test)]
mod recorded;
pub mod scan;
mod settle;
pub mod source;
pub mod status;
pub mod tracker;
pub mod watch;

pub use event::{ContainerId, Event, Marker, ProcessId, Timestamp};
pub use status::ExitStatus;
pub use tracker::{Tracker, Transition};
