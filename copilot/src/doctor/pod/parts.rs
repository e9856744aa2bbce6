//! Who is who in a manifest: the sidecar, the downloader, all others; and what the arguments of ours mean.

use std::ffi::OsString;
use std::path::Path;

use super::manifest::{Container, Manifest};
use crate::doctor::{ArgumentReader, ContainerJob, RefusedArguments};
use crate::download::DownloadMode;
use crate::sidecar::SidecarRequest;
use crate::track::Job;
use crate::track::process::{COPILOT, job_of};

/// A container of ours.
#[derive(Clone, Debug)]
pub(super) struct Ours<'a> {
    pub(super) container: &'a Container,
    /// What its command line means; `None` for a template without one.
    pub(super) job: Option<Result<ContainerJob, RefusedArguments>>,
}

/// The containers of a manifest by what they do.
#[derive(Clone, Debug)]
pub(super) struct Parts<'a> {
    pub(super) sidecar: Option<Ours<'a>>,
    pub(super) downloader: Option<Ours<'a>>,
    pub(super) others: Vec<&'a Container>,
}

impl<'a> Parts<'a> {
    /// Tells them apart by command line, or by name without one.
    pub(super) fn of(manifest: &'a Manifest, read: ArgumentReader) -> Self {
        let mut parts = Self {
            sidecar: None,
            downloader: None,
            others: Vec::new(),
        };
        for container in &manifest.containers {
            let place = match job(container) {
                Some(Job::Sidecar) => &mut parts.sidecar,
                Some(Job::Download) => &mut parts.downloader,
                None => {
                    parts.others.push(container);
                    continue;
                }
            };
            // The first of a kind counts; Flyte makes one.
            place.get_or_insert_with(|| Ours::read(container, read));
        }
        parts
    }
}

impl<'a> Ours<'a> {
    fn read(container: &'a Container, read: ArgumentReader) -> Self {
        // Words without the job are a template's: the platform adds the rest.
        let is_whole = job_in_words(&container.words).is_some();
        let words = || container.words.iter().map(OsString::from).collect();
        Self {
            container,
            job: is_whole.then(|| read(words())),
        }
    }

    /// The sidecar's request, if the command line gives one.
    pub(super) fn sidecar(&self) -> Option<&SidecarRequest> {
        match &self.job {
            Some(Ok(ContainerJob::Sidecar(request))) => Some(request),
            _ => None,
        }
    }

    /// Where the downloader puts files, if the command line says it.
    pub(super) fn input_directory(&self) -> Option<&Path> {
        match &self.job {
            Some(Ok(ContainerJob::Download(request))) => Some(&request.to_local_dir),
            Some(Ok(ContainerJob::DownloadTree(request))) => Some(&request.to_local_dir),
            _ => None,
        }
    }

    /// Whether it goes on while main runs.
    pub(super) fn streams(&self) -> bool {
        match &self.job {
            Some(Ok(ContainerJob::Download(request))) => request.mode == DownloadMode::Stream,
            _ => false,
        }
    }

    /// Why the command line is refused.
    pub(super) fn refusal(&self) -> Option<&RefusedArguments> {
        self.job.as_ref()?.as_ref().err()
    }
}

fn job(container: &Container) -> Option<Job> {
    let program = container.words.first().map(Path::new);
    let name = program.and_then(|path| path.file_name()?.to_str());
    let is_ours = name.is_some_and(|name| COPILOT.contains(&name));
    let by_words = job_in_words(&container.words).filter(|_| is_ours);
    // In a template the platform adds command and arguments, and an image may have an entry point.
    by_words.or_else(|| by_name(&container.name).filter(|_| is_ours || program.is_none_or(is_flag)))
}

fn job_in_words(words: &[String]) -> Option<Job> {
    job_of(&(words.join("\0") + "\0"))
}

fn is_flag(word: &Path) -> bool {
    let word = word.to_string_lossy();
    word.starts_with('-') || matches!(&*word, "sidecar" | "download")
}

/// Flyte's names, with any prefix.
fn by_name(name: &str) -> Option<Job> {
    let (_, last) = name.rsplit_once('-')?;
    match last {
        "uploader" | "sidecar" => Some(Job::Sidecar),
        "downloader" => Some(Job::Download),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_known_by_command_line_or_by_name_where_there_is_none() {
        for (name, words, expected) in [
            (
                "x",
                &["/bin/flyte-copilot", "sidecar"][..],
                Some(Job::Sidecar),
            ),
            (
                "x",
                &["/copilot", "--logger.level=4", "download"],
                Some(Job::Download),
            ),
            ("my-pilot-uploader", &[], Some(Job::Sidecar)),
            (
                "flyte-copilot-downloader",
                &["--logger.level=4"],
                Some(Job::Download),
            ),
            (
                "flyte-copilot-uploader",
                &["/bin/flyte-copilot"],
                Some(Job::Sidecar),
            ),
            // A program of its own.
            ("mesh-sidecar", &["/bin/mesh"], None),
            ("x", &["sh", "-c", "copilot sidecar"], None),
            ("primary", &[], None),
        ] {
            let container = Container {
                name: name.to_owned(),
                words: words.iter().map(|word| (*word).to_owned()).collect(),
                ..Container::default()
            };
            assert_eq!(job(&container), expected, "{name} {words:?}");
        }
    }
}
