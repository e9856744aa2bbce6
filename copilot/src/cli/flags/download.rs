//! The flags of `copilot download` (spec §1.2).

use std::path::PathBuf;

use clap::Parser;

use super::given::GivenFlags;
use super::{Base64Bytes, GlobalFlags};
use crate::cli::value;

/// The flags as they are given. `check` checks names from a fixed list later, in the reference's order.
#[derive(Debug, Parser)]
#[command(
    about = "Fetch a task's inputs as local files",
    after_help = "copilot --help shows the flags of every command, such as those of the store.\n\nExample:\n  \
        copilot download --storage.container=data --from-remote s3://data/t/inputs.pb \\\n    \
        --to-output-prefix s3://data/t/out --to-local-dir /var/inputs\n\nWithout Flyte:\n  \
        copilot download --from s3://data/run-7/in --to-local-dir /var/inputs"
)]
pub(in crate::cli) struct DownloadFlags {
    #[command(flatten)]
    pub given: GivenFlags,

    /// Without Flyte, in place of --from-remote and --to-output-prefix: a prefix of files, or one object. A
    /// manifest.json below the prefix is checked
    #[arg(long, value_name = "REF", default_value = "")]
    pub from: String,

    #[arg(
        long,
        short = 'f',
        help = "Reference of the inputs, such as s3://bucket/inputs.pb (required)",
        value_name = "REF",
        default_value = ""
    )]
    pub from_remote: String,

    /// Prefix for an error document (required)
    #[arg(long, value_name = "REF", default_value = "")]
    pub to_output_prefix: String,

    /// Directory for the inputs (required)
    #[arg(long, short = 'o', value_name = "PATH", value_parser = value::path(), default_value = "")]
    pub to_local_dir: PathBuf,

    /// Metadata file beside inputs.pb: JSON, YAML, or PROTO for none
    #[arg(long, short = 'm', value_name = "NAME", default_value = "JSON")]
    pub format: String,

    #[arg(
        long,
        short = 'd',
        value_name = "NAME",
        help = "When to fetch data: DOWNLOAD_EAGER before main starts, DOWNLOAD_STREAM while main \
                runs, or DO_NOT_DOWNLOAD to leave references in its place",
        default_value = "DOWNLOAD_EAGER"
    )]
    pub download_mode: String,

    #[arg(
        long,
        help = "Path of a single file: DIRECT (the variable's name) or NAMED_DIR (a directory with \
                the variable's name, and the file's own name in it)",
        value_name = "NAME",
        default_value = "DIRECT"
    )]
    pub file_input_layout: String,

    /// The volume's sizeLimit, for example 10Gi; larger inputs fail before kubelet evicts the pod
    #[arg(long, value_name = "BYTES", value_parser = value::size)]
    pub volume_size_limit: Option<u64>,

    /// Time limit of the whole download; 0 for none
    #[arg(long, short = 't', value_name = "DURATION", value_parser = value::nanoseconds, default_value = "1h0m0s")]
    pub timeout: i64,

    #[arg(
        long,
        help = "Binary inputs tagged msgpack (dataclasses, dicts, models, and members of them): json (the \
                value as JSON, or as its type is written), or reference (the bytes)",
        value_name = "NAME",
        default_value = "json"
    )]
    pub binary_inputs: String,

    #[arg(
        long,
        short = 'i',
        help = "The types of the inputs (a serialized VariableMap), for binary inputs",
        value_name = "BASE64",
        value_parser = value::bytes
    )]
    pub input_interface: Option<Base64Bytes>,

    /// Where the times of this run go: a JSON file; or timeline.json and timeline.html in an existing
    /// directory, or below a prefix of a store
    #[arg(long, value_name = "PLACE", value_parser = value::path())]
    pub timeline: Option<PathBuf>,

    #[command(flatten)]
    pub global: GlobalFlags,
}
