//! What every command takes: the settings given as flags, how to report failures, and the limits of
//! transfers.

use std::path::{Path, PathBuf};

use super::flags::GlobalFlags;
use crate::command::Global;
use crate::config::Key;

/// The common part of a request. `more` names further flags, and whether each was given without effect.
pub(super) fn global(flags: GlobalFlags, more: &[(&str, bool)]) -> Global {
    let settings = flags.settings.0;
    let is_inert = |name: &&str| Key::find(name).is_some_and(|key| !key.effect);
    let inert = settings.names().filter(is_inert);
    let inert = inert
        .chain(flags.inert.names)
        .chain(flags.kubernetes.names)
        .map(|name| format!("--{name}"));
    let more = more.iter().filter(|(_, given)| *given);
    let without_effect = inert
        .chain(more.map(|(name, _)| (*name).to_owned()))
        .collect();
    Global {
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

/// An empty text counts as not given, as in the reference, whose defaults are empty.
pub(super) fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The same for a path.
pub(super) fn given_path(path: Option<&Path>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty())
        .map(Path::to_owned)
}
