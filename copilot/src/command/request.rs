//! What a command line asks for, whichever command it names.

use std::num::NonZeroU32;
use std::path::PathBuf;

use crate::config::FlagLayer;
use crate::download::DownloadRequest;
use crate::sidecar::SidecarRequest;

/// What a command line asks for.
#[derive(Clone, Debug)]
pub enum Invocation {
    /// Print this text on standard output; done.
    Help(String),
    /// Print name and version on standard output; done.
    Version,
    /// `copilot download`: a task's inputs to local files.
    Download(Box<Global>, Box<DownloadRequest>),
    /// `copilot sidecar`: wait for main, then upload its outputs.
    Sidecar(Box<Global>, Box<SidecarRequest>),
    /// `copilot ready`: succeed once the sidecar's watcher is attached. It has no flags of its own.
    Ready(Box<Global>),
}

/// A command of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Inputs to files.
    Download,
    /// Outputs to a store.
    Sidecar,
    /// Whether the sidecar watches.
    Ready,
}

impl Command {
    /// All of them, in the order in which help lists them.
    pub const ALL: [Self; 3] = [Self::Download, Self::Sidecar, Self::Ready];

    /// The word that calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Sidecar => "sidecar",
            Self::Ready => "ready",
        }
    }
}

/// The part of a command line that all commands share.
#[derive(Clone, Debug)]
pub struct Global {
    /// The settings given as flags; [`crate::config::load()`] puts the other sources beneath them.
    pub settings: FlagLayer,
    /// `--config`: a path or pattern of configuration files.
    pub config: Option<String>,
    /// `--err-output-name`: the error document's one name. None: it has both names that the
    /// platform's generations read (spec §2.5).
    pub err_output_name: Option<String>,
    /// `--exit-zero-on-error`: leave with 0 where an error document was written, as the reference.
    pub exit_zero_on_error: bool,
    /// `--termination-log`: the file whose text Kubernetes shows of a failed container; none when
    /// the flag was given empty.
    pub termination_log: Option<PathBuf>,
    /// `--max-memory`: bytes in flight of all transfers together. None: from the cgroup.
    pub max_memory: Option<u64>,
    /// `--max-connections`: connections of all transfers together. None: from the cgroup.
    pub max_connections: Option<NonZeroU32>,
    /// The flags that were given and change nothing here, as written with their dashes. The edge
    /// warns of them once.
    pub without_effect: Vec<String>,
}

/// What is needed to write an error document about a rejection. The reference reports these few
/// to the platform (spec §1.2, §3.9), so ours must too.
#[derive(Clone, Debug)]
pub struct Reportable {
    /// The command, which decides the document's code.
    pub command: Command,
    /// The common part, to reach the store.
    pub global: Global,
    /// `--to-output-prefix`, never empty.
    pub to_output_prefix: String,
}
