//! The flags of `copilot doctor`: its own, and those of the sidecar, so that the sidecar's command line works with
//! `doctor` in the place of `sidecar`.

use std::path::PathBuf;

use clap::Parser;

use super::SidecarFlags;
use crate::cli::value;

/// The flags as they are given.
#[derive(Debug, Parser)]
#[command(
    about = "Say what will work here, what will not, and how to mend it",
    after_help = "Exit code: 0 all works, 1 something is degraded, 2 something fails.\n\n\
        Run it in the sidecar's container with the sidecar's arguments, `doctor` in the place of `sidecar`; or on \
        a manifest: copilot doctor --pod pod.yaml"
)]
pub(in crate::cli) struct DoctorFlags {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    /// Judge this manifest (YAML or JSON) of a pod or a pod template, and nothing of this machine
    #[arg(long, value_name = "FILE", value_parser = value::path())]
    pub pod: Option<PathBuf>,

    /// Write, read and delete an object below --to-output-prefix, --to-raw-output and --to
    #[arg(long)]
    pub probe: bool,

    /// Reference of the inputs: check that they are there
    #[arg(long, value_name = "REF", default_value = "")]
    pub from_remote: String,

    /// Directory for the inputs: check that it can be written
    #[arg(long, value_name = "PATH", value_parser = value::path(), default_value = "")]
    pub to_local_dir: PathBuf,

    /// Size of the inputs, for example 10Gi: check that --to-local-dir has room for them
    #[arg(long, value_name = "BYTES", value_parser = value::size)]
    pub expect_size: Option<u64>,

    #[command(flatten)]
    pub sidecar: SidecarFlags,
}
