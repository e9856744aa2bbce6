//! `copilot watch`: shows what the tracker sees, as it sees it. One line for each event into a pipe, a table on a
//! terminal.
//!
//! The events are those of the sidecar's own sources, and main is found by the same tracker. [`pods`] attaches to one
//! pod or to all of a node, [`line`] and [`table`] show what comes. Never here: waiting for main, uploads, flags.
//! Called by `command`.

pub mod line;
pub mod pods;
mod request;
mod show;
pub mod table;

pub use request::MonitorRequest;
pub use show::{MonitorError, run};
