//! The request of a sidecar, as the flags give it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::literal::output::OutputOptions;
use crate::track::TrackOptions;
use crate::upload::UploadMode;

/// What to do when main ended badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MainFailure {
    /// Report its failure and upload nothing.
    Report,
    /// Report its failure, and upload what it left without calling it outputs.
    Salvage,
    /// Upload what is there, as the reference does.
    Upload,
}

/// What `copilot sidecar` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SidecarRequest {
    /// What to upload after main's end; none without `--interface` and `--to`, which means: upload nothing.
    pub upload: Option<UploadTarget>,
    /// `--upload-mode`.
    pub mode: UploadMode,
    /// `--timeout`, else `--start-timeout`: deadline of the upload, from main's end; none for no
    /// deadline.
    pub timeout: Option<Duration>,
    /// `--on-main-failure`.
    pub on_main_failure: MainFailure,
    /// `--max-simple-size`, `--blob-names` and `--struct-outputs`: how outputs are read, named and written.
    pub outputs: OutputOptions,
    /// How main is found and watched.
    pub track: TrackOptions,
    /// `--timeline`: the file, directory or prefix for the times of the run.
    pub timeline: Option<PathBuf>,
}

/// What is uploaded after main's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadTarget {
    /// Flyte's declared outputs (`--interface`).
    Outputs(OutputsTarget),
    /// The whole directory (`--to`).
    Tree(TreeTarget),
}

impl UploadTarget {
    /// Main's output directory. Never empty.
    #[must_use]
    pub fn from_local_dir(&self) -> &Path {
        match self {
            Self::Outputs(target) => &target.from_local_dir,
            Self::Tree(target) => &target.from_local_dir,
        }
    }
}

/// Where a tree comes from and goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeTarget {
    /// `--from-local-dir`: main's output directory. Never empty.
    pub from_local_dir: PathBuf,
    /// `--to`: the prefix of the files, and of `manifest.json` or `failure.json`. Never empty.
    pub to: String,
}

/// Where outputs come from and go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputsTarget {
    /// `--interface`: a serialized `TypedInterface`, not empty and not yet parsed.
    pub interface: Vec<u8>,
    /// `--from-local-dir`: main's output directory. Never empty.
    pub from_local_dir: PathBuf,
    /// `--to-output-prefix`: where `outputs.pb` or an error document goes. Never empty.
    pub to_output_prefix: String,
    /// `--to-raw-output`: where files and directories go; an interface of simple types does
    /// without.
    pub to_raw_output: Option<String>,
    /// `--meta-output-name`: the name of `outputs.pb`.
    pub meta_output_name: String,
    /// `--err-output-name`: the one name of error documents. None: they have both of the platform's.
    pub err_output_name: Option<String>,
}
