//! What may be concluded, and what it takes.

use super::container::{Container, Exit};
use crate::track::{ContainerId, ExitStatus, Marker, ProcessId, Timestamp, identify::Why};

/// What the tracker has concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// These containers are main. Said again if the set changes before main has ended.
    MainFound {
        /// The containers, in the order of their names.
        containers: Vec<ContainerId>,
        /// By which rule.
        why: Why,
    },
    /// The first of the mains runs its program.
    MainStarted {
        /// The first processes of the mains that have started so far.
        processes: Vec<ProcessId>,
        /// When.
        at: Timestamp,
    },
    /// All mains have ended.
    MainExited {
        /// The worst status of them.
        status: ExitStatus,
        /// When the last of them ended.
        at: Timestamp,
    },
    /// Main has said itself that it is over, whether or not it still runs.
    MainMarked {
        /// By which file.
        marker: Marker,
        /// When it was seen.
        at: Timestamp,
    },
}

/// The first of the mains has begun.
pub(super) fn began(mains: &[&Container]) -> Option<Transition> {
    let firsts = mains.iter().filter_map(|main| main.first.as_ref());
    Some(Transition::MainStarted {
        processes: firsts.map(|first| first.id).collect(),
        at: mains.iter().filter_map(|main| main.began()).min()?,
    })
}

/// All of the mains have ended.
pub(super) fn exited(mains: &[&Container]) -> Option<Transition> {
    let exits: Option<Vec<Exit>> = mains.iter().map(|main| main.exit()).collect();
    let exits = exits?;
    let last = exits.iter().max_by_key(|exit| exit.at)?;
    let statuses = exits.iter().map(|exit| exit.status);
    Some(Transition::MainExited {
        status: statuses.fold(ExitStatus::Code(0), ExitStatus::worse),
        at: last.at,
    })
}
