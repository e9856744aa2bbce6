//! The flags of `copilot sidecar` (spec §1.3).

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use super::given::GivenFlags;
use super::{Base64Bytes, GlobalFlags};
use crate::cli::value;

/// The flags as they are given. `check` checks names from a fixed list later, in the reference's order.
#[derive(Debug, Parser)]
#[command(
    about = "Wait for the main container, then upload its outputs",
    after_help = "copilot --help shows the flags of every command, such as those of the store.\n\nExample, without a wait:\n  \
        copilot sidecar --storage.container=data --from-local-dir /var/outputs --watcher noop \\\n    \
        --to-output-prefix s3://data/t/out --to-raw-output s3://data/t/raw --interface \"$(cat interface.b64)\"\n\n\
        Without Flyte, in a pod:\n  \
        copilot sidecar --from-local-dir /var/outputs --to s3://data/run-7/out"
)]
pub(in crate::cli) struct SidecarFlags {
    #[command(flatten)]
    pub given: GivenFlags,

    /// Without Flyte, in place of --interface: the prefix for all files of --from-local-dir, and for
    /// manifest.json or failure.json
    #[arg(long, value_name = "REF", default_value = "")]
    pub to: String,

    /// Prefix for outputs.pb and an error document (required with --interface)
    #[arg(long, short = 'o', value_name = "REF", default_value = "")]
    pub to_output_prefix: String,

    /// Prefix for the data of files and directories (required if an output is one)
    #[arg(long, short = 'x', value_name = "REF", default_value = "")]
    pub to_raw_output: String,

    /// The output directory of the main container (required with --interface and --to)
    #[arg(long, short = 'f', value_name = "PATH", value_parser = value::path(), default_value = "")]
    pub from_local_dir: PathBuf,

    #[arg(
        long,
        short = 'i',
        help = "The interface of the task: a serialized TypedInterface",
        value_name = "BASE64",
        value_parser = value::bytes
    )]
    pub interface: Option<Base64Bytes>,

    /// Name of the object with the outputs under the prefix
    #[arg(long, value_name = "NAME", default_value = "outputs.pb")]
    pub meta_output_name: String,

    #[arg(
        long,
        short = 'u',
        value_name = "NAME",
        help = "When to upload data: UPLOAD_ON_EXIT after main ends, UPLOAD_EAGER while main runs, or \
                DO_NOT_UPLOAD if main leaves references in its place",
        default_value = "UPLOAD_ON_EXIT"
    )]
    pub upload_mode: String,

    /// Time limit of the upload after main ends; 0 for none [default: 1h0m0s]
    #[arg(long, short = 't', value_name = "DURATION", value_parser = value::nanoseconds)]
    pub timeout: Option<i64>,

    /// Older name of --timeout; --timeout wins
    #[arg(long, value_name = "DURATION", value_parser = value::nanoseconds, hide = true)]
    pub start_timeout: Option<i64>,

    /// How to watch main: auto, ebpf, pidfd, proc, kube-api, marker, signal or noop; separate several
    /// with commas [default: auto]
    #[arg(long, value_name = "NAMES")]
    pub watcher: Option<String>,

    /// The main container: its name, or the beginning of its id [default: found automatically]
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        alias = "watch-container"
    )]
    pub main_container: String,

    /// A container that is not main; may be repeated
    #[arg(long, value_name = "NAME")]
    pub ignore_container: Vec<String>,

    /// The pod's cgroup [default: found automatically]
    #[arg(long, value_name = "PATH", value_parser = value::path())]
    pub pod_cgroup: Option<PathBuf>,

    /// The node's /proc, mounted into this container; needed to name containers if the pod does not
    /// share pids
    #[arg(long, value_name = "PATH", value_parser = value::path())]
    pub proc_root: Option<PathBuf>,

    /// Time between two readings of /proc until main starts
    #[arg(long, value_name = "DURATION", value_parser = value::wait, default_value = "5ms")]
    pub poll_fast: Duration,

    /// Time between two readings of /proc while main runs
    #[arg(long, value_name = "DURATION", value_parser = value::wait, default_value = "100ms")]
    pub poll_slow: Duration,

    /// How long to wait for main to start; 0 for no limit
    #[arg(long, value_name = "DURATION", value_parser = value::wait, default_value = "1h")]
    pub main_start_timeout: Duration,

    /// How long to wait for main to end after a SIGTERM
    #[arg(long, value_name = "DURATION", value_parser = value::wait, default_value = "10s")]
    pub term_wait: Duration,

    /// How long to wait, after main ends, for processes that it left running
    #[arg(long, value_name = "DURATION", value_parser = value::wait, default_value = "2s")]
    pub settle: Duration,

    /// If main fails: report (and upload nothing), salvage (report, and upload what it left), or
    /// upload (as if main succeeded)
    #[arg(long, value_name = "NAME", default_value = "report")]
    pub on_main_failure: String,

    /// Largest file of an output that becomes a part of outputs.pb, for example 1Mi
    #[arg(long, value_name = "BYTES", value_parser = value::size, default_value = "1Mi")]
    pub max_simple_size: u64,

    /// Name in the store of a file with an extension: file (o.csv), or reference (o)
    #[arg(long, value_name = "NAME", default_value = "file")]
    pub blob_names: String,

    /// Structs in outputs.pb: declared (MessagePack for types that flytekit marks so, else protobuf's
    /// Struct), or protobuf (always its Struct, for a platform older than 1.14)
    #[arg(long, value_name = "NAME", default_value = "declared")]
    pub struct_outputs: String,

    /// Where the times of this run go: a JSON file; or timeline.json and timeline.html in an existing
    /// directory, or below a prefix of a store
    #[arg(long, value_name = "PLACE", value_parser = value::path())]
    pub timeline: Option<PathBuf>,

    /// The reference's watcher for main's start
    #[arg(long, value_name = "NAME", hide = true)]
    pub start_watcher_type: Option<String>,

    /// The reference's watcher for main's end
    #[arg(long, value_name = "NAME", hide = true)]
    pub exit_watcher_type: Option<String>,

    /// Checked, but without effect, as in the reference
    #[arg(long, short = 'm', value_name = "NAME", hide = true)]
    pub format: Option<String>,

    #[arg(
        long,
        help = "Name of this pod, for the watcher kube-api [default: POD_NAME, else the host name]",
        value_name = "NAME"
    )]
    pub pod_name: Option<String>,

    #[command(flatten)]
    pub global: GlobalFlags,
}
