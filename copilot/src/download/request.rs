//! What a download is asked for.

use std::path::PathBuf;
use std::time::Duration;

use crate::literal::input::Layout;
use crate::literal::render::MetadataFormat;

/// When input data is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownloadMode {
    /// All of it before main starts.
    Eager,
    /// While main runs: the metadata files before it starts, the data after.
    Stream,
    /// None of it: main gets references.
    Never,
}

/// What `copilot download` shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadRequest {
    /// `--from-remote`: the inputs' `LiteralMap`. Never empty.
    pub from_remote: String,
    /// `--to-output-prefix`: where an error document goes. Never empty.
    pub to_output_prefix: String,
    /// `--err-output-name`: the one name of error documents. None: they have both of the platform's.
    pub err_output_name: Option<String>,
    /// `--to-local-dir`: where the files go. Never empty.
    pub to_local_dir: PathBuf,
    /// `--format`.
    pub format: MetadataFormat,
    /// `--file-input-layout`.
    pub layout: Layout,
    /// `--download-mode`.
    pub mode: DownloadMode,
    /// `--volume-size-limit`: bytes that may be written in all. None: as much as has room.
    pub volume_size_limit: Option<u64>,
    /// `--timeout`: deadline of the whole, but not of the stay after a stream; none for no deadline.
    pub timeout: Option<Duration>,
    /// `--timeline`: file for the run's times.
    pub timeline: Option<PathBuf>,
}
