//! The request of `copilot watch`, as the flags give it.

use std::path::PathBuf;

use crate::track::TrackOptions;

/// What to show, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorRequest {
    /// The pod, the sources, and how main is found, as of a sidecar.
    pub track: TrackOptions,
    /// `--from-local-dir`: main's output directory, by which main may be found.
    pub outputs: Option<PathBuf>,
    /// `--all`: all pods of the node.
    pub all: bool,
    /// `--json`: one JSON object for each event.
    pub json: bool,
}
