//! One flag for each setting of the reference in [`KEYS`]: `--storage.container` and the like.

use std::error::Error;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::cli::value;
use crate::config::{self, FlagLayer, KEYS, Key, KeyKind, SettingValue};

/// The settings given as flags.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct SettingFlags(pub FlagLayer);

/// The keys that have a flag of their whole name.
fn keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter()
        .filter(|key| key.flag && key.own_flag().is_none())
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        command.args(keys().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for key in keys() {
            for value in matches
                .get_many::<SettingValue>(key.name)
                .into_iter()
                .flatten()
            {
                self.0.give(key, value.clone());
            }
        }
        Ok(())
    }
}

fn argument(key: &'static Key) -> Arg {
    let argument = Arg::new(key.name)
        .long(key.name)
        .help(help(key))
        .hide(!key.effect)
        .value_parser(move |text: &str| read(key.kind, text));
    match key.kind {
        KeyKind::Boolean => argument
            .value_name("BOOL")
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        KeyKind::Pairs => argument.value_name("KEY=VALUE").action(ArgAction::Append),
        KeyKind::Level => argument.value_name("LEVEL").action(ArgAction::Set),
        KeyKind::Integer => argument.value_name("NUMBER").action(ArgAction::Set),
        KeyKind::Duration => argument.value_name("DURATION").action(ArgAction::Set),
        _ => argument.value_name("TEXT").action(ArgAction::Set),
    }
}

/// What it is for, its default, and the variable that sets it too.
fn help(key: &Key) -> String {
    let variable = config::variable(key);
    match key.default {
        Some(default) if !default.is_empty() => {
            format!("{} [default: {default}] [variable: {variable}]", key.help)
        }
        _ => format!("{} [variable: {variable}]", key.help),
    }
}

/// The value. A duration stays a text in the layer, so it is checked here.
fn read(kind: KeyKind, text: &str) -> Result<SettingValue, Box<dyn Error + Send + Sync>> {
    if kind == KeyKind::Duration {
        value::nanoseconds(text)?;
    }
    Ok(SettingValue::read(kind, text)?)
}
