//! The flags of `copilot run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use super::GlobalFlags;
use crate::cli::value;

/// The flags as they are given. The command stands behind `--`, and is not among them.
#[derive(Debug, Parser)]
#[command(
    about = "Run a task on this machine, without a cluster",
    override_usage = "copilot run [OPTIONS] -- COMMAND [ARGUMENT]...\n       \
                      copilot run --check DIR --interface FILE|BASE64 | --output NAME:TYPE",
    after_help = "Examples:\n  \
        copilot run --input x=3 --output y:integer -- \\\n    \
        sh -c 'echo $(({{.inputs.x}} * 2)) > /var/outputs/y'\n  \
        copilot run --input data=@table.csv --output report:file -- ./report.sh /var/inputs /var/outputs\n  \
        copilot run --check results --output report:file\n\n\
        In the command, {{.inputs.NAME}} and the platform's other template variables are filled in, and the paths\n\
        of --input-data-dir and --output-data-dir are replaced by the task's directories on this machine."
)]
pub(in crate::cli) struct RunFlags {
    /// An input; @PATH is a local file or directory; may be repeated
    #[arg(long, value_name = "NAME[:TYPE]=VALUE")]
    pub input: Vec<String>,

    /// File of inputs: JSON, YAML, or a message such as inputs.pb; --input wins
    #[arg(long, value_name = "FILE", value_parser = value::path())]
    pub inputs: Option<PathBuf>,

    /// An output that the command writes; may be repeated
    #[arg(long, value_name = "NAME:TYPE")]
    pub output: Vec<String>,

    /// The types of all inputs and outputs: a file, base64 as the platform passes it, or JSON of `copilot inspect`
    #[arg(long, value_name = "FILE|BASE64")]
    pub interface: Option<String>,

    /// Run nothing: read the outputs in this directory, say what would be uploaded, and what is wrong
    #[arg(long, value_name = "DIR", value_parser = value::path())]
    pub check: Option<PathBuf>,

    #[arg(
        long,
        help = "Upload the outputs to this prefix, too: s3://bucket/prefix, or a directory",
        value_name = "REF"
    )]
    pub to: Option<String>,

    /// Run the command in this image, by docker, podman or nerdctl
    #[arg(long, value_name = "NAME")]
    pub image: Option<String>,

    /// Keep the directories of the run
    #[arg(long)]
    pub keep: bool,

    /// Where the directories inputs and outputs are made; they are kept [default: a temporary directory]
    #[arg(long, value_name = "PATH", value_parser = value::path())]
    pub work_dir: Option<PathBuf>,

    /// Print the result as JSON; the command's standard output goes to standard error
    #[arg(long)]
    pub json: bool,

    /// The input directory as the command names it
    #[arg(long, value_name = "PATH", default_value = "/var/inputs")]
    pub input_data_dir: String,

    /// The output directory as the command names it
    #[arg(long, value_name = "PATH", default_value = "/var/outputs")]
    pub output_data_dir: String,

    /// Metadata file beside inputs.pb: JSON, YAML, or PROTO for none
    #[arg(long, short = 'm', value_name = "NAME", default_value = "JSON")]
    pub format: String,

    #[arg(
        long,
        help = "Path of a single input file: DIRECT or NAMED_DIR, as for download",
        value_name = "NAME",
        default_value = "DIRECT"
    )]
    pub file_input_layout: String,

    /// How long to wait for the command's end after SIGTERM or ^C, before it is killed
    #[arg(long, value_name = "DURATION", value_parser = value::wait, default_value = "10s")]
    pub term_wait: Duration,

    #[command(flatten)]
    pub global: GlobalFlags,
}
