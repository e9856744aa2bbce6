//! What every command takes: the settings given as flags, how failures are reported, and the
//! budgets of a transfer.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use super::flags::GlobalFlags;
use crate::config::{FlagLayer, Key};

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

impl Global {
    /// `more` names further flags, and whether they were given without effect.
    pub(super) fn new(flags: GlobalFlags, more: &[(&str, bool)]) -> Self {
        let settings = flags.settings.0;
        let is_inert = |name: &&str| Key::find(name).is_some_and(|key| !key.effect);
        let inert = settings.names().filter(is_inert);
        let inert = inert.chain(flags.inert.0).map(|name| format!("--{name}"));
        let more = more.iter().filter(|(_, given)| *given);
        let without_effect = inert
            .chain(more.map(|(name, _)| (*name).to_owned()))
            .collect();
        Self {
            settings,
            config: given(&flags.config),
            err_output_name: given(&flags.err_output_name),
            exit_zero_on_error: flags.exit_zero_on_error,
            termination_log: given_path(Some(&flags.termination_log)),
            max_memory: flags.max_memory,
            max_connections: flags.max_connections,
            without_effect,
        }
    }
}

/// An empty text counts as not given: so it is in the reference, whose defaults are empty.
pub(super) fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Likewise for a path.
pub(super) fn given_path(path: Option<&Path>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty())
        .map(Path::to_owned)
}
