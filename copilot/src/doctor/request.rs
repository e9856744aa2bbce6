//! The request of `copilot doctor`, as the flags give it.

use std::ffi::OsString;
use std::path::PathBuf;

use thiserror::Error;

use crate::download::DownloadRequest;
use crate::download::tree::TreeDownloadRequest;
use crate::sidecar::SidecarRequest;

/// What `copilot doctor` should look at.
#[derive(Clone, Debug)]
pub struct DoctorRequest {
    /// What the sidecar with the same flags would do: how it finds main, and where its outputs are.
    pub sidecar: SidecarRequest,
    /// `--from-local-dir`: main's output directory.
    pub from_local_dir: Option<PathBuf>,
    /// `--to-local-dir`: the directory for inputs.
    pub to_local_dir: Option<PathBuf>,
    /// `--expect-size`: bytes that the inputs will take.
    pub expect_size: Option<u64>,
    /// `--from-remote`: the inputs.
    pub from_remote: Option<String>,
    /// `--to-output-prefix`.
    pub to_output_prefix: Option<String>,
    /// `--to-raw-output`.
    pub to_raw_output: Option<String>,
    /// `--to`.
    pub to: Option<String>,
    /// `--probe`: write, read and delete an object below each prefix.
    pub probe: bool,
    /// `--json`: print one JSON object.
    pub json: bool,
    /// `--pod`: judge this manifest, and nothing of this machine.
    pub pod: Option<PathBuf>,
    /// Reads the arguments of a container in a manifest.
    pub read_arguments: ArgumentReader,
}

/// Reads a command line, whose first word is the program.
pub type ArgumentReader = fn(Vec<OsString>) -> Result<ContainerJob, RefusedArguments>;

/// What a container with our program does.
#[derive(Clone, Debug)]
pub enum ContainerJob {
    /// It waits for main and uploads.
    Sidecar(Box<SidecarRequest>),
    /// It fetches inputs.
    Download(Box<DownloadRequest>),
    /// It fetches files without Flyte.
    DownloadTree(Box<TreeDownloadRequest>),
    /// Another command.
    Other,
}

/// A command line that our program refuses.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct RefusedArguments(pub String);
