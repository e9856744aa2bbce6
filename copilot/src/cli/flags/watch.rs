//! The flags of `copilot watch`: its own, and those of the sidecar, which say how its sources work.

use clap::Parser;

use super::SidecarFlags;

/// The flags as they are given.
#[derive(Debug, Parser)]
#[command(
    about = "Show what happens in a pod, as the sidecar sees it",
    after_help = "Without --pod-cgroup it watches the pod that it runs in. A terminal gets a table, a pipe one line for \
        each event. It ends at a signal, or when nobody reads any more."
)]
pub(in crate::cli) struct WatchFlags {
    /// Print one JSON object for each event
    #[arg(long)]
    pub json: bool,

    /// Watch all pods of this node; needs the node's cgroups and pids
    #[arg(long)]
    pub all: bool,

    #[command(flatten)]
    pub sidecar: SidecarFlags,
}
