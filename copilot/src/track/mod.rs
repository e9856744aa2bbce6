//! When does main start, when does it end, and how? The heart of the sidecar.
//!
//! A [`source`] only *emits* [`Event`]s. The [`Tracker`], a state machine without I/O or clock, turns
//! them into "main started" and "main exited with this status". [`identify`] holds the rules of who main
//! is, [`place`] finds our pod, [`watch`] runs the sources beside SIGTERM and the time limits. Uploads,
//! stores and Flyte never appear here. Called by the `sidecar`, `download` and `trial` jobs, and by `ready`.

pub mod attach;
pub mod decision;
pub mod event;
mod flyte;
pub mod identify;
pub mod mounts;
pub mod place;
pub(crate) mod process;
pub mod readiness;
#[cfg(test)]
mod recorded;
pub mod scan;
pub mod source;
pub mod status;
pub mod tracker;
pub mod watch;

pub use attach::{AttachError, TrackOptions, attach, attach_child};
pub use event::{ContainerId, Event, Job, Marker, ProcessId, Timestamp};
pub use source::{Polling, Watcher};
pub use status::ExitStatus;
pub use tracker::{Tracker, Transition};
pub use watch::{Until, Watch};
