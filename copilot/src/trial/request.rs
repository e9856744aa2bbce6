//! The request of `copilot run`, as the flags give it.

use std::path::PathBuf;
use std::time::Duration;

use crate::describe::Given;
use crate::literal::input::Layout;
use crate::literal::render::MetadataFormat;

/// What `copilot run` does.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialRequest {
    /// Run a command, or only check outputs.
    pub action: Action,
    /// `--input`.
    pub given: Vec<Given>,
    /// `--inputs`: a file of inputs; `-` for standard input.
    pub inputs: Option<PathBuf>,
    /// `--output`: types of outputs.
    pub outputs: Vec<Given>,
    /// `--interface`: a file, or base64. Not empty.
    pub interface: Option<String>,
    /// `--to`: the prefix that outputs are uploaded to. Not empty.
    pub to: Option<String>,
    /// `--format`.
    pub format: MetadataFormat,
    /// `--file-input-layout`.
    pub layout: Layout,
    /// `--json`: the command's standard output goes to standard error.
    pub json: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Run a command.
    Run(Box<Runtime>),
    /// `--check`: read the outputs in this directory.
    Check(PathBuf),
}

/// A command, and how it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// The program and its arguments, as the task has them; empty only with an image, which has its own.
    pub command: Vec<String>,
    /// `--image`.
    pub image: Option<String>,
    /// `--keep`.
    pub keep: bool,
    /// `--work-dir`.
    pub work_dir: Option<PathBuf>,
    /// `--input-data-dir`: the input directory as the command names it. Absolute, without a slash at its end.
    pub input_data_dir: String,
    /// `--output-data-dir`: the output directory as the command names it. Absolute, without a slash at its end.
    pub output_data_dir: String,
    /// `--term-wait`: how long the command may take to end after SIGTERM.
    pub term_wait: Duration,
}
