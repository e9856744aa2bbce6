//! The flags of `copilot template`.

use clap::Parser;

use super::GlobalFlags;

/// The flags as they are given.
#[derive(Debug, Parser)]
#[command(
    about = "Print the PodTemplate for Flyte, and the settings beside it",
    after_help = "Examples:\n  \
        copilot template --flyte 1.16 | kubectl apply --namespace flyte --filename -\n  \
        copilot template --flyte 2 --prefix my-pilot- --image copilot:0.1\n\n\
        The text says what it buys, and which settings Flyte needs. docs/flyte.md says more."
)]
pub(in crate::cli) struct TemplateFlags {
    /// The version of Flyte, such as 1.15.2, 1.16 or 2 (required)
    #[arg(long, value_name = "VERSION", default_value = "")]
    pub flyte: String,

    /// How the names of Flyte's containers begin: its setting co-pilot.name
    #[arg(long, value_name = "PREFIX", default_value = "flyte-copilot-")]
    pub prefix: String,

    /// What Copilot may use to watch main: ebpf, pidfd, kube-api, or signal for nothing; separate several with
    /// commas [default: ebpf, and before Flyte 1.15.1 pidfd]
    #[arg(long, value_name = "NAMES")]
    pub watcher: Option<String>,

    /// Main starts before its data is complete (Flyte 1.16 or newer)
    #[arg(long)]
    pub streaming: bool,

    /// The image of Copilot, for the settings
    #[arg(long, value_name = "NAME", default_value = "COPILOT-IMAGE")]
    pub image: String,

    #[command(flatten)]
    pub global: GlobalFlags,
}
