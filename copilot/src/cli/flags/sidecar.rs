//! The flags of `copilot sidecar` (spec §1.3).

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use super::{Bytes, GlobalFlags};
use crate::cli::value;

/// The texts as given; what takes one of a few names is checked later, in the reference's order.
#[derive(Debug, Parser)]
#[command(about = "Wait for the main container, then upload its outputs")]
pub(in crate::cli) struct SidecarFlags {
    /// Prefix for outputs.pb and the error document
    #[arg(long, short = 'o', value_name = "REF", default_value = "")]
    pub to_output_prefix: String,

    /// Prefix for files and directories
    #[arg(long, short = 'x', value_name = "REF", default_value = "")]
    pub to_raw_output: String,

    /// The main container's output directory
    #[arg(long, short = 'f', value_name = "PATH", value_parser = value::path(), default_value = "")]
    pub from_local_dir: PathBuf,

    #[arg(
        long,
        short = 'i',
        help = "The task's interface: a serialized TypedInterface",
        value_name = "BASE64",
        value_parser = value::bytes
    )]
    pub interface: Option<Bytes>,

    /// Name of the outputs' object under the prefix
    #[arg(long, value_name = "NAME", default_value = "outputs.pb")]
    pub meta_output_name: String,

    #[arg(
        long,
        short = 'u',
        value_name = "NAME",
        help = "When data is sent: UPLOAD_ON_EXIT, UPLOAD_EAGER while main runs, or DO_NOT_UPLOAD \
                where main leaves references in place of it",
        default_value = "UPLOAD_ON_EXIT"
    )]
    pub upload_mode: String,

    /// Deadline of the upload, from main's end; 0 for none [default: 1h0m0s]
    #[arg(long, short = 't', value_name = "DURATION", value_parser = value::nanoseconds)]
    pub timeout: Option<i64>,

    /// Older name of --timeout, which wins over it
    #[arg(long, value_name = "DURATION", value_parser = value::nanoseconds, hide = true)]
    pub start_timeout: Option<i64>,

    /// How main is watched: auto, ebpf, pidfd, proc, kube-api, marker, signal or noop; several with
    /// commas [default: auto]
    #[arg(long, value_name = "NAMES")]
    pub watcher: Option<String>,

    /// Main's container, by name or the beginning of its id; else it is found
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        alias = "watch-container"
    )]
    pub main_container: String,

    /// A container that is not main; repeatable
    #[arg(long, value_name = "NAME")]
    pub ignore_container: Vec<String>,

    /// The pod's cgroup; else it is found
    #[arg(long, value_name = "PATH", value_parser = value::path())]
    pub pod_cgroup: Option<PathBuf>,

    /// The node's /proc, where pids are not shared: names containers that would have none
    #[arg(long, value_name = "PATH", value_parser = value::path())]
    pub proc_root: Option<PathBuf>,

    /// Time between two looks at /proc while main is expected
    #[arg(long, value_name = "DURATION", value_parser = value::wait, default_value = "5ms")]
    pub poll_fast: Duration,

    /// Time between two looks at /proc while main runs
    #[arg(long, value_name = "DURATION", value_parser = value::wait, default_value = "100ms")]
    pub poll_slow: Duration,

    /// How long main may take to start; 0 for any time
    #[arg(long, value_name = "DURATION", value_parser = value::wait, default_value = "1h")]
    pub main_start_timeout: Duration,

    /// How long to wait for main's end after a SIGTERM
    #[arg(long, value_name = "DURATION", value_parser = value::wait, default_value = "10s")]
    pub term_wait: Duration,

    /// How long to wait, after main's end, for what it left running
    #[arg(long, value_name = "DURATION", value_parser = value::wait, default_value = "2s")]
    pub settle: Duration,

    /// When main failed: report it and upload nothing, salvage what it left beside the report, or
    /// upload what is there
    #[arg(long, value_name = "NAME", default_value = "report")]
    pub on_main_failure: String,

    /// Largest file of an output that is no file or directory itself, for example 1Mi
    #[arg(long, value_name = "BYTES", value_parser = value::size, default_value = "1Mi")]
    pub max_simple_size: u64,

    /// What files found by an extension are called in the store: file (o.csv), or reference (o)
    #[arg(long, value_name = "NAME", default_value = "file")]
    pub blob_names: String,

    /// JSON file for the times of this run
    #[arg(long, value_name = "PATH", value_parser = value::path())]
    pub timeline: Option<PathBuf>,

    /// The reference's choice of watcher for main's start
    #[arg(long, value_name = "NAME", hide = true)]
    pub start_watcher_type: Option<String>,

    /// The reference's choice of watcher for main's end
    #[arg(long, value_name = "NAME", hide = true)]
    pub exit_watcher_type: Option<String>,

    /// Checked, without effect, as in the reference
    #[arg(long, short = 'm', value_name = "NAME", hide = true)]
    pub format: Option<String>,

    #[arg(
        long,
        help = "Our pod's name, for the watcher kube-api [default: POD_NAME, else the host name]",
        value_name = "NAME"
    )]
    pub pod_name: Option<String>,

    #[command(flatten)]
    pub global: GlobalFlags,
}
