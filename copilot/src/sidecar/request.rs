//! What a sidecar is asked for.

use std::path::PathBuf;
use std::time::Duration;

use crate::literal::output::OutputOptions;
use crate::track::source::{Polling, kube::ApiOptions, ladder::Watcher};
use crate::track::watch::Until;
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

/// What `copilot sidecar` shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SidecarRequest {
    /// What to upload once main has ended; none where no interface was given, so that nothing is
    /// to be uploaded.
    pub upload: Option<UploadTarget>,
    /// `--upload-mode`.
    pub mode: UploadMode,
    /// `--timeout`, else `--start-timeout`: deadline of the upload, from main's end; none for no
    /// deadline.
    pub timeout: Option<Duration>,
    /// `--on-main-failure`.
    pub on_main_failure: MainFailure,
    /// `--max-simple-size` and `--blob-names`: how outputs are read and named.
    pub outputs: OutputOptions,
    /// How main is found and watched.
    pub track: TrackOptions,
    /// `--timeline`: file for the run's times.
    pub timeline: Option<PathBuf>,
}

/// Where outputs come from and go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadTarget {
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

/// How main is found and watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackOptions {
    /// `--watcher`, else the reference's watcher types; not empty.
    pub watchers: Vec<Watcher>,
    /// Until when main is watched.
    pub until: Until,
    /// `--poll-fast` and `--poll-slow`.
    pub polling: Polling,
    /// `--main-container`: a name, or the beginning of an id.
    pub main_container: Option<String>,
    /// `--ignore-container`: names of containers that are not main.
    pub ignore_containers: Vec<String>,
    /// `--pod-cgroup`: the pod's cgroup directory.
    pub pod_cgroup: Option<PathBuf>,
    /// `--proc-root`: the node's `/proc`.
    pub proc_root: Option<PathBuf>,
    /// The way to Kubernetes' API, for the watcher `kube-api`.
    pub api: ApiOptions,
    /// `--main-start-timeout`: bound of the wait for main's start; none for no bound.
    pub main_start_timeout: Option<Duration>,
    /// `--term-wait`: bound of the wait for main's end after SIGTERM.
    pub term_wait: Duration,
    /// `--settle`: bound of the wait for main's remaining processes after its end.
    pub settle: Duration,
}
