//! The request for a download.

use std::path::PathBuf;
use std::time::Duration;

use crate::literal::input::Layout;
use crate::literal::render::{BinaryForm, MetadataFormat};

/// When input data is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownloadMode {
    /// Before main starts, all of it.
    Eager,
    /// While main runs: the metadata files before it starts, the data after.
    Stream,
    /// Never: main gets references.
    Never,
}

/// What `copilot download` should do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadRequest {
    /// `--from-remote`: the inputs' `LiteralMap`. Never empty.
    pub from_remote: String,
    /// `--to-output-prefix`: where an error document goes. Never empty.
    pub to_output_prefix: String,
    /// `--err-output-name`: the name of the error document. `None`: both names that the platform uses.
    pub err_output_name: Option<String>,
    /// `--to-local-dir`: where the files go. Never empty.
    pub to_local_dir: PathBuf,
    /// `--format`.
    pub format: MetadataFormat,
    /// `--file-input-layout`.
    pub layout: Layout,
    /// `--download-mode`.
    pub mode: DownloadMode,
    /// `--binary-inputs`.
    pub binary_inputs: BinaryForm,
    /// `--input-interface`: a serialized `VariableMap`, not yet parsed. `None` if it is missing or empty.
    pub input_interface: Option<Vec<u8>>,
    /// `--volume-size-limit`: bytes to write at most, in all. `None`: as much as the volume has room for.
    pub volume_size_limit: Option<u64>,
    /// `--timeout`: time for the whole download, without the wait for main's end after a stream. `None`: no
    /// deadline.
    pub timeout: Option<Duration>,
    /// `--timeline`: the file, directory or prefix for the times of the run.
    pub timeline: Option<PathBuf>,
}
