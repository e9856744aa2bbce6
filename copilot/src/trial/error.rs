//! Why a task cannot be run here.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::template::TemplateError;
use crate::describe::{DescribeError, GivenError, MakeError, SourceError};
use crate::idl::DecodeError;
use crate::report::Failure;
use crate::store::{ReferenceError, StoreError};
use crate::upload::UploadError;

/// Why a task cannot be run here, or its outputs cannot be read.
#[derive(Debug, Error)]
pub enum TrialError {
    /// An input is wrong.
    #[error("--input: {0}")]
    Input(#[from] GivenError),
    /// The file of inputs cannot be read.
    #[error("--inputs: {0}")]
    InputsFile(#[source] SourceError),
    /// The file of inputs holds something else.
    #[error("--inputs: {path}: {cause}", path = .path.display())]
    Inputs {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        cause: DescribeError,
    },
    /// The file of inputs is another message.
    #[error("--inputs: {path} holds no inputs, but another message: copilot inspect shows it", path = .0.display())]
    NoInputs(PathBuf),
    /// An output has a value, or is named twice.
    #[error("--output: {0}")]
    Output(#[source] MakeError),
    /// The interface cannot be read.
    #[error("--interface: {0}")]
    InterfaceSource(#[source] SourceError),
    /// The interface is not one.
    #[error("--interface: {0}")]
    Interface(#[from] DecodeError),
    /// The interface's JSON is wrong.
    #[error("--interface: {0}")]
    InterfaceText(#[source] DescribeError),
    /// The text is another document.
    #[error(
        "--interface: it holds another document: copilot inspect shows it, copilot make makes an interface"
    )]
    NotInterface,
    /// The interface has the output already, with another type.
    #[error("--output {0} is in the interface with another type: leave it out")]
    OtherOutput(String),
    /// A directory of the run cannot be made or used.
    #[error("{path} {rule}: {cause}", path = .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What cannot be done.
        rule: &'static str,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// A directory of the run is in use.
    #[error(
        "{path} is not empty: files of an earlier run would pass for those of this one. Remove it, or choose \
         another --work-dir", path = .0.display()
    )]
    NotEmpty(PathBuf),
    /// The work directory's path cannot stand in a reference.
    #[error(
        "--work-dir {path}: its path must be UTF-8 and free of #, ?, %, *, [ and ::, which have a meaning in \
         references. Choose another directory", path = .0.display()
    )]
    Unnameable(PathBuf),
    /// The inputs cannot be laid out.
    #[error("the inputs cannot be laid out: {}", .0.message)]
    Download(Failure),
    /// A template variable cannot be filled in.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The program cannot be started.
    #[error("{program} cannot be started: {cause}{advice}")]
    Start {
        /// The program.
        program: String,
        /// The system's error.
        #[source]
        cause: io::Error,
        /// What to do; may be empty.
        advice: &'static str,
    },
    /// Nothing here runs images.
    #[error(
        "--image {0}: none of docker, podman and nerdctl is in PATH. Install one of them, or leave --image out to \
         run the command on this machine"
    )]
    NoContainerTool(String),
    /// A signal came before the command was started.
    #[error("stopped before the command was started")]
    Stopped,
    /// The signals cannot be listened for.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] io::Error),
    /// The outputs cannot be read.
    #[error(transparent)]
    Outputs(#[from] UploadError),
    /// The prefix for outputs is not a reference.
    #[error("--to: {0}")]
    To(#[source] ReferenceError),
    /// There are no outputs to upload.
    #[error("--to: the task declares no outputs: give --output NAME:TYPE for each, or --interface")]
    NothingToUpload,
    /// No store is described for the prefix.
    #[error("--to: {0}")]
    ToStore(#[source] StoreError),
}
