//! Flags of every command.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser};

use super::inert::InertFlags;
use super::kubernetes::KubernetesFlags;
use super::settings::SettingFlags;
use crate::cli::value;
use crate::config;

/// A command line with only the common flags.
#[derive(Debug, Parser)]
#[command(
    about = "The data sidecar that lets any container take part in a Flyte workflow",
    override_usage = "copilot <COMMAND> [OPTIONS]",
    after_help = "Commands:\n  \
        download     fetch a task's inputs as local files\n  \
        sidecar      wait for the main container, then upload its outputs\n  \
        ready        exit with 0 once the sidecar watches the main container\n  \
        run          run a task on this machine, without a cluster\n  \
        inspect      show inputs, outputs, an interface or an error document\n  \
        make         make inputs.pb or an interface from JSON or words\n  \
        doctor       say what will work here, what will not, and how to mend it\n  \
        watch        show what happens in a pod, as the sidecar sees it\n  \
        template     print the PodTemplate for Flyte, and the settings beside it\n  \
        help         show the flags of a command\n  \
        completions  print completions for a shell: bash, elvish, fish, powershell, zsh\n  \
        man          print the manual page of a command\n\n\
        Flags may stand before and after the command. A setting may also stand in a file of --config, or in the \
        variable that is named beside it; a flag wins."
)]
pub(in crate::cli) struct CommonFlags {
    #[command(flatten)]
    pub global: GlobalFlags,
}

/// The common flags, to be part of a command's own.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(in crate::cli) struct GlobalFlags {
    /// Configuration files: a path, or a pattern with *, ? and [...] [default: config.yaml in the
    /// working directory or in /etc/flyte/config]
    #[arg(long, value_name = "PATTERN", default_value = "")]
    pub config: String,

    /// Name of the error document under the output prefix [default: error.pb and errors.pb]
    #[arg(long, value_name = "NAME", default_value = "")]
    pub err_output_name: String,

    /// Exit with 0 after a failure that the error document reports: --exit-code 0
    #[arg(
        long,
        value_name = "BOOL",
        value_parser = config::boolean,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true"
    )]
    pub exit_zero_on_error: bool,

    /// Exit code after a failure that the error document reports: 0, 1, or auto (the sidecar exits with 0
    /// where Flyte reads the document, everything else with 1)
    #[arg(long, value_name = "CODE", default_value = "auto")]
    pub exit_code: String,

    /// Refuse, with exit code 2, what is only a warning otherwise: words beyond the command, unknown keys in
    /// files, unknown variables
    #[arg(
        long,
        value_name = "BOOL",
        value_parser = config::boolean,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true"
    )]
    pub strict: bool,

    /// Form of the log: text, json, gcp, or auto (text on a terminal, else json); wins over
    /// --logger.formatter.type
    #[arg(long, value_name = "NAME", default_value = "")]
    pub log_format: String,

    /// File for the message that Kubernetes shows for a failed container; empty for none
    #[arg(long, value_name = "PATH", value_parser = value::path(), default_value = "/dev/termination-log")]
    pub termination_log: PathBuf,

    /// Memory for data in flight, at least 8Mi [default: a quarter of the container's limit, at most
    /// 32Mi]
    #[arg(long, value_name = "BYTES", value_parser = value::memory)]
    pub max_memory: Option<u64>,

    /// Largest number of connections to stores; as many are used as help [default: one for each 512Ki
    /// of the container's limit, from 4 to 256]
    #[arg(long, value_name = "COUNT", value_parser = value::count)]
    pub max_connections: Option<NonZeroU32>,

    #[command(flatten)]
    pub settings: SettingFlags,

    #[command(flatten)]
    pub inert: InertFlags,

    #[command(flatten)]
    pub kubernetes: KubernetesFlags,

    /// Words beyond the command. The reference ignores them; the log names them.
    #[arg(hide = true)]
    pub words: Vec<OsString>,
}
