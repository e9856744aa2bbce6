//! What every command takes: the settings given as flags, how to report failures, and the limits of
//! transfers.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::choice::{self, choose};
use super::error::FlagError;
use super::flags::GlobalFlags;
use super::secrets;
use super::suggest;
use crate::command::{Global, ReportedExit};
use crate::config::{FlagSources, Key, LogFormat, SettingValue};

/// The common part of a request. `more` names further flags, and whether each was given without effect.
pub(super) fn global(flags: GlobalFlags, more: &[(&str, bool)]) -> Global {
    let reported_exit = reported_exit(&flags);
    let stray_words = stray_words(&flags);
    let mut settings = flags.settings.0;
    // An unknown name is reported, and the report needs a log.
    if let Some(format) = given(&flags.log_format)
        && LogFormat::from_name(&format).is_some()
        && let Some(key) = Key::find("logger.formatter.type")
    {
        settings.give(key, SettingValue::Text(format));
    }
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
        reported_exit,
        stray_words,
        strict: flags.strict,
        termination_log: given_path(Some(&flags.termination_log)),
        max_memory: flags.max_memory,
        max_connections: flags.max_connections,
        without_effect,
        own_sources: FlagSources::default(),
    }
}

/// Checks what all commands share.
pub(super) fn check(flags: &GlobalFlags) -> Result<(), FlagError> {
    if flags.strict && !flags.words.is_empty() {
        return Err(FlagError::StrayWords(stray_words(flags).join(" ")));
    }
    let chosen = choose("--exit-code", &flags.exit_code, choice::REPORTED_EXITS)?;
    if flags.exit_zero_on_error && chosen == ReportedExit::One {
        return Err(FlagError::TwoExitCodes);
    }
    if let Some(format) = given(&flags.log_format) {
        choose("--log-format", &format, choice::LOG_FORMATS)?;
    }
    Ok(())
}

fn reported_exit(flags: &GlobalFlags) -> ReportedExit {
    let chosen = choose("--exit-code", &flags.exit_code, choice::REPORTED_EXITS);
    match chosen.unwrap_or_default() {
        // With 1 the two contradict each other, which is refused.
        ReportedExit::Auto if flags.exit_zero_on_error => ReportedExit::Zero,
        chosen => chosen,
    }
}

/// The words beyond the command, without what may be secret.
fn stray_words(flags: &GlobalFlags) -> Vec<String> {
    let shown = |word: &OsString| suggest::shortened(&secrets::masked(&word.to_string_lossy()));
    flags.words.iter().map(shown).collect()
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
