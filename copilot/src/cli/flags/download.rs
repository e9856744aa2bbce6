//! The flags of `copilot download` (spec §1.2).

use std::path::PathBuf;

use clap::Parser;

use super::{Bytes, GlobalFlags};
use crate::cli::value;

/// The texts as given; what takes one of a few names is checked later, in the reference's order.
#[derive(Debug, Parser)]
#[command(about = "Fetch a task's inputs as local files")]
pub(in crate::cli) struct DownloadFlags {
    #[arg(
        long,
        short = 'f',
        help = "Reference of the inputs, such as s3://bucket/inputs.pb",
        value_name = "REF",
        default_value = ""
    )]
    pub from_remote: String,

    /// Prefix for the error document
    #[arg(long, value_name = "REF", default_value = "")]
    pub to_output_prefix: String,

    /// Directory for the inputs
    #[arg(long, short = 'o', value_name = "PATH", value_parser = value::path(), default_value = "")]
    pub to_local_dir: PathBuf,

    /// What is written beside inputs.pb: JSON, YAML, or PROTO for nothing
    #[arg(long, short = 'm', value_name = "NAME", default_value = "JSON")]
    pub format: String,

    #[arg(
        long,
        short = 'd',
        value_name = "NAME",
        help = "When data is fetched: DOWNLOAD_EAGER, DOWNLOAD_STREAM while main runs, or \
                DO_NOT_DOWNLOAD for references in place of it",
        default_value = "DOWNLOAD_EAGER"
    )]
    pub download_mode: String,

    #[arg(
        long,
        help = "Where a single file lies: DIRECT (at the variable's name) or NAMED_DIR (in a \
                directory of that name, under its own)",
        value_name = "NAME",
        default_value = "DIRECT"
    )]
    pub file_input_layout: String,

    /// The volume's sizeLimit, for example 10Gi: more is refused, where kubelet would evict the pod
    #[arg(long, value_name = "BYTES", value_parser = value::size)]
    pub volume_size_limit: Option<u64>,

    /// Deadline of the whole download; 0 for none
    #[arg(long, short = 't', value_name = "DURATION", value_parser = value::nanoseconds, default_value = "1h0m0s")]
    pub timeout: i64,

    /// The inputs' types; accepted, without effect
    #[arg(long, short = 'i', value_name = "BASE64", value_parser = value::bytes, hide = true)]
    pub input_interface: Option<Bytes>,

    /// JSON file for the times of this run
    #[arg(long, value_name = "PATH", value_parser = value::path())]
    pub timeline: Option<PathBuf>,

    #[command(flatten)]
    pub global: GlobalFlags,
}
