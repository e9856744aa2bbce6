//! What a look at a process shows of whether it runs our program.

use procfs::process::Process;

use super::{is_copilots_name, job_of, read};
use crate::track::Job;

/// The program of a process, as far as it matters to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Another one.
    Other,
    /// Ours or the reference's, and what it does; no job if its command line names none.
    Copilot(Option<Job>),
    /// It has our name and no command line: an exec sets the name first, and a process that has ended keeps only
    /// the name. Another look may show more.
    Unfinished,
}

/// What a process runs whose command name is `comm`. Reads its command line if that is the name of our program.
#[must_use]
pub fn program_of(process: &Process, comm: &str) -> Program {
    if !is_copilots_name(comm) {
        return Program::Other;
    }
    match read(process, "cmdline") {
        Ok(cmdline) if !cmdline.is_empty() => Program::Copilot(job_of(&cmdline)),
        _ => Program::Unfinished,
    }
}
