//! What every command takes: the settings given as flags, how failures are reported, and the
//! budgets of a transfer.

use std::path::{Path, PathBuf};

use super::flags::GlobalFlags;
use crate::command::Global;
use crate::config::Key;

/// The common part of a request. `more` names further flags, and whether they were given without effect.
pub(super) fn global(flags: GlobalFlags, more: &[(&str, bool)]) -> Global {
    let settings = flags.settings.0;
    let is_inert = |name: &&str| Key::find(name).is_some_and(|key| !key.effect);
    let inert = settings.names().filter(is_inert);
    let inert = inert
        .chain(flags.inert.names)
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

/// An empty text counts as not given: so it is in the reference, whose defaults are empty.
pub(super) fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Likewise for a path.
pub(super) fn given_path(path: Option<&Path>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty())
        .map(Path::to_owned)
}
