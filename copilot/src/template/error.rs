//! Why no template fits what is asked for.

use thiserror::Error;

/// A request that no template fits. The message names the flag, the rule and what to do.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    /// A version is numbers with points between them.
    #[error(
        "--flyte {0:?} is not a version of Flyte: give it as the tag of Flyte's own image has it, such as 1.15.2, \
         1.16 or 2"
    )]
    NotAVersion(String),
    /// The first number alone does not say what Flyte 1 merges.
    #[error(
        "--flyte 1: the versions of Flyte 1 differ: give the second number as well, 1.15 or 1.16"
    )]
    NoMinor,
    /// A version that did not exist when this was written.
    #[error(
        "--flyte {0}: this version of Copilot knows Flyte up to version 2: docs/flyte.md says what must be merged \
         into which container"
    )]
    TooNew(String),
    /// Flyte appends the role to the prefix, and the name of a container has a fixed form.
    #[error(
        "--prefix {0:?} cannot be the prefix of Flyte's containers: give the value of co-pilot.name, which has lower \
         case letters, digits and -, begins with a letter or digit, ends with -, and has at most 53 characters"
    )]
    Prefix(String),
    /// The name of an image is one word.
    #[error(
        "--image {0:?} is not the name of an image: it has no blanks, quotes or line ends, and is not empty"
    )]
    Image(String),
    /// One watcher needs nothing, the others do.
    #[error("--watcher signal needs nothing of the pod, so no other watcher can stand beside it")]
    SignalBesideOthers,
    /// Only a native sidecar gets SIGTERM when main has ended.
    #[error(
        "--watcher signal: up to Flyte 1.15 the uploader is an ordinary container, which gets no SIGTERM when main \
         has ended; the containers share their pids, so leave the flag out, or give --watcher pidfd"
    )]
    NoSigterm,
    /// Before 1.15.1 only the container `default` of a template is merged, into all containers.
    #[error(
        "--watcher {0}: before Flyte 1.15.1 a PodTemplate cannot give a right to the uploader alone, so main would \
         get it, too; leave the flag out"
    )]
    ReachesMain(&'static str),
    /// How an older version treats a downloader that outlives main has not been tried.
    #[error(
        "--streaming needs Flyte 1.16 or newer: it has not been tried with the pods of older versions"
    )]
    NoStreaming,
}
