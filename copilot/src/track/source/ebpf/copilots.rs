//! Processes that run our program or the reference's: what they do.
//!
//! `/proc` shows the command line of a visible process. That of a process in another pid namespace comes from the
//! programs, before the record of its exec. If a process began before the programs were attached, its name at its
//! end shows one whose watcher was attached. Called by `records`.

use std::collections::{BTreeMap, BTreeSet};

use copilot_common::{CommandLine, Record, kind};
use procfs::process::Process;

use crate::track::{
    ContainerId, Event, Job, ProcessId,
    process::{self, Program, job_of},
    readiness,
};

/// How many command lines may wait for the record of their exec, which follows at once.
const TOLD_AT_ONCE: usize = 1024;

/// Remembers the command lines that the programs have sent, and who runs our program.
#[derive(Default)]
pub struct Copilots {
    /// Containers in which a process that entered runs our program.
    seen: BTreeSet<ContainerId>,
    /// The jobs of processes by their pid on the node, until the record of their exec comes.
    told: BTreeMap<u32, Job>,
}

impl Copilots {
    /// Notes a command line that the programs have sent.
    pub fn expect(&mut self, line: &CommandLine) {
        let text = line.text.get(..line.length as usize).unwrap_or_default();
        if let Some(job) = job_of(&String::from_utf8_lossy(text)) {
            // The records of their execs were lost.
            if self.told.len() == TOLD_AT_ONCE {
                self.told.clear();
            }
            self.told.insert(line.host_pid, job);
        }
    }

    /// What the process of a record does, as far as the kernel shows it.
    pub fn take(&mut self, record: &Record) -> Option<Job> {
        let told = self.told.remove(&record.host_pid);
        match record.kind {
            kind::EXIT => {
                let is_attached = name_in(record).as_bytes() == readiness::NAME.to_bytes();
                is_attached.then_some(Job::Sidecar)
            }
            _ => told,
        }
    }

    /// The event that a process which entered a container does this; nothing if it does not run our program, and
    /// none in its container did.
    pub fn event(
        &mut self,
        container: &ContainerId,
        process: ProcessId,
        job: Option<Job>,
    ) -> Option<Event> {
        let is_news = match job {
            Some(_) => {
                self.seen.insert(container.clone());
                true
            }
            None => self.seen.remove(container),
        };
        is_news.then(|| Event::CopilotSeen {
            container: container.clone(),
            process,
            job,
        })
    }
}

/// What a visible process does, if it runs our program.
pub fn job_in_proc(process: &Process) -> Option<Job> {
    let name = process::read(process, "comm").ok()?;
    match process::program_of(process, name.trim_end()) {
        Program::Copilot(job) => job,
        Program::Other | Program::Unfinished => None,
    }
}

/// The command name in a record, which the kernel pads with NUL; empty if `/proc` shows the process.
pub fn name_in(record: &Record) -> String {
    let name = record.comm.split(|byte| *byte == 0).next();
    String::from_utf8_lossy(name.unwrap_or_default()).into_owned()
}
