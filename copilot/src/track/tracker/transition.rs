//! What the tracker concludes.

use super::container::{Container, Exit};
use crate::track::{ContainerId, ExitStatus, Marker, ProcessId, Timestamp, identify::Why};

/// A conclusion of the tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// These containers are main. Repeated if the set changes before main has ended.
    MainFound {
        /// The containers, in the order of their names.
        containers: Vec<ContainerId>,
        /// The rule that found them.
        why: Why,
    },
    /// What seemed to be main is not, and nothing else is yet. Takes back that main was found and has started.
    MainDismissed,
    /// The first of the mains runs its program.
    MainStarted {
        /// The first processes of the mains that have started so far.
        processes: Vec<ProcessId>,
        /// When it began.
        at: Timestamp,
    },
    /// All containers that seem to be main have ended well, but may have been init containers: another may
    /// come. Takes back that main has started. Repeated if more becomes known of that end.
    MainInDoubt {
        /// The worst status of them.
        status: ExitStatus,
        /// When the last of them ended.
        at: Timestamp,
    },
    /// All mains have ended.
    MainExited {
        /// The worst status of them.
        status: ExitStatus,
        /// When the last of them ended.
        at: Timestamp,
    },
    /// Main has written a marker file that says it is over, whether or not it still runs.
    MainMarked {
        /// The file.
        marker: Marker,
        /// When it was seen.
        at: Timestamp,
    },
}

/// Whether the end of the container that seems to be main may be an init container's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// There is no such end.
    None,
    /// This end may be an init container's.
    About { status: ExitStatus, at: Timestamp },
    /// No other container will come: the container that seems to be main is main.
    Dispelled,
}

/// The first of the mains has begun.
pub(super) fn began(mains: &[&Container]) -> Option<Transition> {
    let firsts = mains.iter().filter_map(|main| main.first.as_ref());
    Some(Transition::MainStarted {
        processes: firsts.map(|first| first.id).collect(),
        at: mains.iter().filter_map(|main| main.began()).min()?,
    })
}

/// All of the mains have ended: the worst status, and when the last of them did.
pub(super) fn exited(mains: &[&Container]) -> Option<(ExitStatus, Timestamp)> {
    let exits: Option<Vec<Exit>> = mains.iter().map(|main| main.exit()).collect();
    let exits = exits?;
    let last = exits.iter().max_by_key(|exit| exit.at)?;
    let statuses = exits.iter().map(|exit| exit.status);
    let status = statuses.fold(ExitStatus::Code(0), ExitStatus::worse);
    Some((status, last.at))
}
