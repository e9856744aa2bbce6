//! What a command line asks for: the command, and what all commands share.

use std::num::NonZeroU32;
use std::path::PathBuf;

use crate::config::{FlagLayer, FlagSources};
use crate::describe::{InspectRequest, MakeRequest};
use crate::doctor::DoctorRequest;
use crate::download::DownloadRequest;
use crate::download::tree::TreeDownloadRequest;
use crate::monitor::MonitorRequest;
use crate::sidecar::SidecarRequest;
use crate::template::TemplateRequest;
use crate::trial::TrialRequest;

/// What a command line asks for.
#[derive(Clone, Debug)]
pub enum Invocation {
    /// Print this text on standard output.
    Help(String),
    /// Print name and version on standard output.
    Version,
    /// `copilot download`: a task's inputs to local files.
    Download(Box<Global>, Box<DownloadRequest>),
    /// `copilot download --from`: files to a local directory, without Flyte.
    DownloadTree(Box<Global>, Box<TreeDownloadRequest>),
    /// `copilot sidecar`: wait for main, then upload its outputs.
    Sidecar(Box<Global>, Box<SidecarRequest>),
    /// `copilot ready`: exit with 0 once the sidecar's watcher is attached. It has no flags of its own.
    Ready(Box<Global>),
    /// `copilot run`: a task on this machine.
    Run(Box<Global>, Box<TrialRequest>),
    /// `copilot inspect`: a document of the platform in words.
    Inspect(Box<Global>, Box<InspectRequest>),
    /// `copilot make`: such a document from words.
    Make(Box<MakeRequest>),
    /// `copilot doctor`: what will work here, what will not, and how to mend it.
    Doctor(Box<Global>, Box<DoctorRequest>),
    /// `copilot watch`: what the tracker sees.
    Watch(Box<Global>, Box<MonitorRequest>),
    /// `copilot template`: the `PodTemplate` for Flyte.
    Template(Box<TemplateRequest>),
}

impl Invocation {
    /// The part that all commands share, where there is one.
    pub fn global_mut(&mut self) -> Option<&mut Global> {
        match self {
            Self::Help(_) | Self::Version | Self::Make(_) | Self::Template(_) => None,
            Self::Download(global, _)
            | Self::DownloadTree(global, _)
            | Self::Sidecar(global, _)
            | Self::Ready(global)
            | Self::Run(global, _)
            | Self::Inspect(global, _)
            | Self::Doctor(global, _)
            | Self::Watch(global, _) => Some(global),
        }
    }
}

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `download`.
    Download,
    /// `sidecar`.
    Sidecar,
    /// `ready`.
    Ready,
    /// `run`.
    Run,
    /// `inspect`.
    Inspect,
    /// `make`.
    Make,
    /// `doctor`.
    Doctor,
    /// `watch`.
    Watch,
    /// `template`.
    Template,
}

impl Command {
    /// All commands, in the order of the help text.
    pub const ALL: [Self; 9] = [
        Self::Download,
        Self::Sidecar,
        Self::Ready,
        Self::Run,
        Self::Inspect,
        Self::Make,
        Self::Doctor,
        Self::Watch,
        Self::Template,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Sidecar => "sidecar",
            Self::Ready => "ready",
            Self::Run => "run",
            Self::Inspect => "inspect",
            Self::Make => "make",
            Self::Doctor => "doctor",
            Self::Watch => "watch",
            Self::Template => "template",
        }
    }
}

/// The exit code after a failure that the error document reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportedExit {
    /// 0 for a sidecar where Flyte reads the document, else 1.
    #[default]
    Auto,
    /// 0, as the reference.
    Zero,
    /// 1.
    One,
}

/// The part of a command line that all commands share.
#[derive(Clone, Debug)]
pub struct Global {
    /// The settings given as flags; [`crate::config::load()`] puts the other sources beneath them.
    pub settings: FlagLayer,
    /// `--config`: a path or pattern of configuration files.
    pub config: Option<String>,
    /// `--err-output-name`: the name of the error document. None: both names that the platform's
    /// generations read (spec §2.5).
    pub err_output_name: Option<String>,
    /// `--exit-code`: the exit code after a failure that the error document reports.
    pub reported_exit: ReportedExit,
    /// `--strict`: refuse settings that are only odd.
    pub strict: bool,
    /// Words beyond the command, fit for messages. The log names them.
    pub stray_words: Vec<String>,
    /// `--termination-log`: the file whose text Kubernetes shows for a failed container; none if the flag
    /// is empty.
    pub termination_log: Option<PathBuf>,
    /// `--max-memory`: bytes in flight of all transfers together. None: computed from the cgroup.
    pub max_memory: Option<u64>,
    /// `--max-connections`: connections of all transfers together. None: computed from the cgroup.
    pub max_connections: Option<NonZeroU32>,
    /// The given flags without effect, with their dashes. The log lists them once.
    pub without_effect: Vec<String>,
    /// The flags that files and variables set. Messages name the source in their place.
    pub own_sources: FlagSources,
}

/// What an error document about a rejection needs. The reference reports some rejections to the platform
/// (spec §1.2, §3.9), so we must too.
#[derive(Clone, Debug)]
pub struct Reportable {
    /// The command, which decides the code of the document.
    pub command: Command,
    /// The common part, to reach the store.
    pub global: Global,
    /// `--to-output-prefix`, never empty.
    pub to_output_prefix: String,
}
