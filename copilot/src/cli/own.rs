//! Our own settings where the command line does not give them: they are put before its arguments, as flags. So a
//! value is read by one rule, wherever it stands, and a flag that is given wins. Messages name the true source.
//!
//! Never here: reading files and variables. The caller of [`super::parse_with_settings`] brings a reader.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use super::flags;
use super::rejection::Rejection;
use super::route::CommandRoute;
use crate::command::{Command, Invocation};
use crate::config::{
    ConfigError, FlagLayer, FlagSources, Key, OwnSetting, OwnSettings, SettingValue,
};

/// Reads our own settings; the text is `--config`, if it is given.
pub type OwnReader<'a> = &'a dyn Fn(Option<&str>) -> Result<OwnSettings, ConfigError>;

/// Flags that decide the same as a setting. If one of them is given, the setting has no say.
const INSTEAD: [(&str, &[&str]); 2] = [
    ("exit-code", &["exit-zero-on-error"]),
    ("watcher", &["start-watcher-type", "exit-watcher-type"]),
];

/// Whether our own settings count for a command: it loads settings. A probe (`ready`) runs every second, and no setting
/// changes its answer.
pub(super) fn takes_settings(command: Command) -> bool {
    matches!(
        command,
        Command::Download
            | Command::Sidecar
            | Command::Run
            | Command::Inspect
            | Command::Doctor
            | Command::Watch
    )
}

/// What is known of our own settings beside the arguments.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// Those that files and variables give.
    sources: FlagSources,
    /// Those that are given as flags.
    given: FlagLayer,
}

/// Adds our own settings to the arguments of a command that takes them and has their flags. A command line that is
/// wrong stays as it is. So does every one if the settings cannot be read: the job reports that when it loads them all.
pub(super) fn complete(route: CommandRoute, read: OwnReader<'_>) -> (CommandRoute, Origins) {
    match route {
        CommandRoute::Command(command, arguments) if takes_settings(command) => {
            let (arguments, origins) = with_settings(command, arguments, read);
            (CommandRoute::Command(command, arguments), origins)
        }
        other => (other, Origins::default()),
    }
}

fn with_settings(
    command: Command,
    arguments: Vec<OsString>,
    read: OwnReader<'_>,
) -> (Vec<OsString>, Origins) {
    let mut origins = Origins::default();
    let definition = flags::definition(Some(command));
    let known: BTreeMap<String, Arg> = definition
        .get_arguments()
        .filter_map(|argument| Some((argument.get_long()?.to_owned(), argument.clone())))
        .collect();
    let Ok(matches) = definition.try_get_matches_from(&arguments) else {
        return (arguments, origins);
    };
    let given = |flag: &str| given_text(known.get(flag)?, &matches);
    for key in Key::all_own() {
        if let Some(text) = key.own_flag().and_then(given) {
            origins.given.give(key, SettingValue::Text(text));
        }
    }
    let config = matches.try_get_one::<String>("config").ok().flatten();
    let Ok(settings) = read(config.filter(|text| !text.is_empty()).map(String::as_str)) else {
        return (arguments, origins);
    };
    let mut completed = Vec::new();
    for setting in settings.iter() {
        let argument = setting.key.own_flag().and_then(|flag| known.get(flag));
        let is_given = |flag: &str| given(flag).is_some();
        if let Some(argument) = argument.filter(|argument| is_undecided(argument, is_given)) {
            completed.extend(as_flags(argument, setting));
            origins.sources.note(setting);
        }
    }
    completed.extend(arguments);
    (completed, origins)
}

/// Whether neither a flag nor one that decides the same is given.
fn is_undecided(argument: &Arg, is_given: impl Fn(&str) -> bool) -> bool {
    let flag = argument.get_long().unwrap_or_default();
    let instead = INSTEAD.iter().find(|(name, _)| *name == flag);
    let others = instead.map_or(&[][..], |(_, others)| *others);
    !is_given(flag) && !others.iter().any(|other| is_given(other))
}

/// The text of a flag on the command line; none if it is not given.
fn given_text(argument: &Arg, matches: &ArgMatches) -> Option<String> {
    let id = argument.get_id().as_str();
    if matches.value_source(id) != Some(ValueSource::CommandLine) {
        return None;
    }
    let texts = matches.get_raw(id)?.map(|text| text.to_string_lossy());
    Some(texts.collect::<Vec<_>>().join(","))
}

/// A setting as arguments. A flag that may be repeated takes one text each time.
fn as_flags(argument: &Arg, setting: &OwnSetting) -> Vec<OsString> {
    let flag = argument.get_long().unwrap_or_default();
    let as_flag = |text: &String| OsString::from(format!("--{flag}={text}"));
    let texts = setting.texts();
    match argument.get_action() {
        ArgAction::Append => texts.iter().map(as_flag).collect(),
        _ => vec![as_flag(&texts.join(","))],
    }
}

impl Origins {
    /// Notes the sources in what a command line leads to.
    pub(super) fn note(
        self,
        parsed: Result<Invocation, Rejection>,
    ) -> Result<Invocation, Rejection> {
        match parsed {
            Ok(mut invocation) => {
                if let Some(global) = invocation.global_mut() {
                    global.settings.add(self.given);
                    global.own_sources = self.sources;
                }
                Ok(invocation)
            }
            Err(rejection) => Err(rejection.naming(&self.sources)),
        }
    }
}
