//! What is known of each container, for a person. Caller: `monitor`.

use super::Tracker;
use crate::track::{ContainerId, ExitStatus, Job, ProcessId, Timestamp};

/// A container, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerOverview {
    /// Its id.
    pub id: ContainerId,
    /// Its name, if its mounts show it.
    pub name: Option<String>,
    /// The name of its program, if a source has reported it.
    pub program: Option<String>,
    /// What it does, if it runs our program.
    pub job: Option<Job>,
    /// Its first process.
    pub first: Option<ProcessId>,
    /// When its program began.
    pub began: Option<Timestamp>,
    /// How and when it ended.
    pub ended: Option<(ExitStatus, Timestamp)>,
    /// Whether it is main, as far as is known.
    pub is_main: bool,
    /// Whether it is our own.
    pub is_own: bool,
}

impl Tracker {
    /// All containers that were seen, by id.
    #[must_use]
    pub fn overview(&self) -> Vec<ContainerOverview> {
        let all = self.containers.iter().map(|(id, container)| {
            let evidence = container.evidence.as_ref();
            ContainerOverview {
                id: id.clone(),
                name: evidence.and_then(|evidence| evidence.name.clone()),
                program: container.program.clone(),
                job: container.job(),
                first: container.first.as_ref().map(|first| first.id),
                began: container.began(),
                ended: container.exit().map(|exit| (exit.status, exit.at)),
                is_main: self.mains().contains(id),
                is_own: self.rules.own.as_ref() == Some(id),
            }
        });
        all.collect()
    }
}
