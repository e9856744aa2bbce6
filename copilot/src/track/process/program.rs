//! Whether a process runs our program or the reference's, by its name and command line, and what it does. Pure.
//!
//! The kernel sets the name at an exec, from the file's name, and any process may change both. So they never
//! prove that a container is not main: see `identify`.

use crate::track::{Job, readiness};

/// The names of our program: ours and the reference's.
pub const COPILOT: [&str; 2] = ["copilot", "flyte-copilot"];

/// Whether a process's command name is that of our program: before its watcher is attached, and after.
#[must_use]
pub fn is_copilots_name(comm: &str) -> bool {
    COPILOT.contains(&comm) || readiness::NAME.to_str() == Ok(comm)
}

/// What a process with such a name does, by the text of its `/proc/PID/cmdline`; `None` if neither word is in it,
/// as in `copilot ready`.
#[must_use]
pub fn job_of(cmdline: &str) -> Option<Job> {
    let mut found = None;
    let mut before = "";
    for word in cmdline.split_terminator('\0').skip(1) {
        let job = match word {
            "sidecar" => Some(Job::Sidecar),
            "download" => Some(Job::Download),
            _ => None,
        };
        // `--storage.container download sidecar`: a word behind a flag may be the flag's value.
        let may_be_a_value = before.starts_with('-') && !before.contains('=');
        if job.is_some() && !may_be_a_value {
            return job;
        }
        found = found.or(job);
        before = word;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(words: &[&str]) -> Option<Job> {
        job_of(&(words.join("\0") + "\0"))
    }

    #[test]
    fn the_names_of_our_program_are_known() {
        for (comm, is_ours) in [
            ("copilot", true),
            ("flyte-copilot", true),
            ("copilot-ready", true),
            ("copilot-agent", false),
            ("sh", false),
            ("", false),
        ] {
            assert_eq!(is_copilots_name(comm), is_ours, "{comm}");
        }
    }

    #[test]
    fn the_command_line_tells_the_job() {
        for (words, expected) in [
            (
                &["/bin/copilot", "sidecar", "-o", "s3://b/o"][..],
                Some(Job::Sidecar),
            ),
            (
                &[
                    "flyte-copilot",
                    "--config",
                    "/etc/flyte/*",
                    "download",
                    "-i",
                    "x",
                ],
                Some(Job::Download),
            ),
            (
                &["copilot", "--storage.container=sidecar", "download"],
                Some(Job::Download),
            ),
            (
                &[
                    "copilot",
                    "--storage.container",
                    "download",
                    "sidecar",
                    "-x",
                    "y",
                ],
                Some(Job::Sidecar),
            ),
            // A flag without a value.
            (
                &["copilot", "--logger.show-source", "sidecar"],
                Some(Job::Sidecar),
            ),
            (&["copilot", "ready"], None),
            (&["sidecar"], None),
            (&[], None),
        ] {
            assert_eq!(job(words), expected, "{words:?}");
        }
        // A process may have written over its command line.
        assert_eq!(job_of("copilot sidecar"), None);
        assert_eq!(job_of("\0\0\0"), None);
    }
}
