//! The flags as `clap` types: names, short forms, and how a text becomes a value.
//!
//! `clap` reads most of the reference's flag syntax (spec §1.6). The differences are set here: the last
//! occurrence wins, a value may begin with a dash, a boolean takes its value only after `=` (a separate word that
//! denies it is refused), and words beyond the command are passed over with a warning. Never here: a rule on two
//! flags, or a request. `check` calls it.

mod describe;
mod doctor;
mod download;
mod given;
mod global;
mod inert;
mod kubernetes;
mod library;
mod refusal;
mod settings;
mod sidecar;
mod template;
mod trial;
mod watch;

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, Command as ClapCommand, CommandFactory, Parser};

pub(super) use describe::{InspectFlags, MakeFlags};
pub(super) use doctor::DoctorFlags;
pub(super) use download::DownloadFlags;
pub(super) use global::{CommonFlags, GlobalFlags};
pub(super) use kubernetes::KubernetesFlags;
pub(super) use sidecar::SidecarFlags;
pub(super) use template::TemplateFlags;
pub(super) use trial::RunFlags;
pub(super) use watch::WatchFlags;

use super::own::takes_settings;
use super::rejection::Rejection;
use crate::command::{Command, Invocation};
use crate::config::{self, Key};

/// The value of a bytesBase64 flag. `clap` reads the name `Vec` as many values.
type Base64Bytes = Vec<u8>;

/// What reading the flags gives: their values, or an answer that needs no command.
pub(super) enum Parsed<F> {
    /// The values.
    Flags(Box<F>),
    /// Help or version.
    Answer(Invocation),
}

/// Reads the flags of a command; none means those of every command. `name` is its name in messages.
pub(super) fn read<F: Parser>(
    topic: Option<Command>,
    name: &'static str,
    arguments: &[OsString],
) -> Result<Parsed<F>, Rejection> {
    let matches = match command::<F>(name).try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp => {
                return Ok(Parsed::Answer(Invocation::Help(help(topic))));
            }
            ErrorKind::DisplayVersion => return Ok(Parsed::Answer(Invocation::Version)),
            _ => return Err(refusal::rejection(&error, name, arguments)),
        },
    };
    if let Some((flag, word)) = denied(arguments) {
        return Err(Rejection::usage(separate_word(&flag, &word)));
    }
    F::from_arg_matches(&matches)
        .map(|flags| Parsed::Flags(Box::new(flags)))
        .map_err(|error| refusal::rejection(&error, name, arguments))
}

/// What is said about a boolean flag and the word behind it.
pub(super) fn separate_word(flag: &str, word: &str) -> String {
    format!(
        "{flag} {word}: the value of this flag stands behind `=`, and alone the flag means true; write {flag}={word}"
    )
}

/// A boolean flag with a word behind it that says no. In the reference the flag is true then, and the word is
/// ignored: the opposite of what is written.
fn denied(arguments: &[OsString]) -> Option<(String, String)> {
    let alone = without_value();
    let mut before: Option<String> = None;
    let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(argument) = arguments.next() {
        if let Some(flag) = before.take()
            && says_no(&argument)
        {
            return Some((flag, argument.into_owned()));
        }
        if argument == "--" {
            return None;
        }
        if !argument.starts_with('-') || argument.contains('=') {
            continue;
        }
        if alone.contains(argument.as_ref()) {
            before = Some(argument.into_owned());
        } else if argument.starts_with("--") || argument.chars().count() == 2 {
            // Its value.
            arguments.next();
        }
    }
    None
}

/// Whether a word denies, in the spellings of flags or in those of files.
fn says_no(word: &str) -> bool {
    config::boolean(word) == Ok(false)
        || ["no", "off"].contains(&word.to_ascii_lowercase().as_str())
}

/// The help text of a command, or of the program.
pub(super) fn help(topic: Option<Command>) -> String {
    let help = definition_for_help(topic).render_long_help().to_string();
    format!("{}\n", help.trim_end())
}

/// The flags of a command, or those of every command. The help of a flag that is a setting names the variable.
pub(super) fn definition(topic: Option<Command>) -> ClapCommand {
    let definition = written(topic);
    if topic.is_none_or(takes_settings) {
        definition.mut_args(with_variable)
    } else {
        definition
    }
}

/// The definition as its type has it.
fn written(topic: Option<Command>) -> ClapCommand {
    match topic {
        None => command::<CommonFlags>("copilot"),
        Some(Command::Download) => command::<DownloadFlags>("copilot download"),
        Some(Command::Sidecar) => command::<SidecarFlags>("copilot sidecar"),
        Some(Command::Ready) => command::<CommonFlags>("copilot ready"),
        Some(Command::Run) => command::<RunFlags>("copilot run"),
        Some(Command::Inspect) => command::<InspectFlags>("copilot inspect"),
        Some(Command::Make) => command::<MakeFlags>("copilot make"),
        Some(Command::Doctor) => command::<DoctorFlags>("copilot doctor"),
        Some(Command::Watch) => command::<WatchFlags>("copilot watch"),
        Some(Command::Template) => command::<TemplateFlags>("copilot template"),
    }
}

/// The same without the flags of every command, which the program's own help shows.
fn definition_for_help(topic: Option<Command>) -> ClapCommand {
    let definition = definition(topic);
    if topic.is_none() {
        return definition;
    }
    let common: BTreeSet<clap::Id> = command::<CommonFlags>("copilot")
        .get_arguments()
        .map(|argument| argument.get_id().clone())
        .collect();
    definition.mut_args(|argument| {
        let is_hidden = common.contains(argument.get_id()) || argument.is_hide_set();
        argument.hide(is_hidden)
    })
}

/// The flags, dashes included, that do not take the next argument as their value, of any command.
pub(super) fn without_value() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    // The commands for people have such flags of their own; `make` has none.
    for mut command in [
        command::<CommonFlags>("copilot"),
        command::<RunFlags>("copilot run"),
        command::<InspectFlags>("copilot inspect"),
        command::<DoctorFlags>("copilot doctor"),
        command::<WatchFlags>("copilot watch"),
        command::<TemplateFlags>("copilot template"),
    ] {
        command.build();
        names.extend(without_value_of(&command));
    }
    names
}

fn without_value_of(command: &ClapCommand) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for argument in command.get_arguments() {
        let takes = argument.get_action().takes_values();
        let needs = argument
            .get_num_args()
            .is_none_or(|range| range.min_values() > 0);
        if !(takes && needs) {
            names.extend(argument.get_long().map(|long| format!("--{long}")));
            names.extend(argument.get_short().map(|short| format!("-{short}")));
        }
    }
    names
}

/// Whether messages must hide the value of `flag`.
pub(super) fn is_secret(flag: &str) -> bool {
    let name = flag.trim_start_matches('-');
    kubernetes::is_secret(name) || Key::find(name).is_some_and(|key| key.secret)
}

/// The `clap` command with the reference's syntax.
fn command<F: CommandFactory>(name: &'static str) -> ClapCommand {
    F::command()
        .name(name)
        .bin_name(name)
        .version(env!("CARGO_PKG_VERSION"))
        .no_binary_name(true)
        .args_override_self(true)
        .mut_args(|argument| {
            if argument.is_positional() || !argument.get_action().takes_values() {
                argument
            } else {
                let unset = argument.get_default_values() == [""];
                argument.allow_hyphen_values(true).hide_default_value(unset)
            }
        })
}

/// A flag of ours that is a setting, with its variable in its help.
fn with_variable(argument: Arg) -> Arg {
    let key = argument.get_long().and_then(Key::of_own_flag);
    match (key, argument.get_help()) {
        (Some(key), Some(help)) => {
            let help = format!("{help} [variable: {}]", config::variable(key));
            argument.help(help)
        }
        _ => argument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_of_ours_is_a_flag_of_a_job() {
        let jobs = [Command::Download, Command::Sidecar].map(|job| definition(Some(job)));
        let flags = jobs.iter().flat_map(ClapCommand::get_arguments);
        let flags: BTreeSet<&str> = flags.filter_map(Arg::get_long).collect();
        for key in Key::all_own() {
            assert!(flags.contains(key.own_flag().unwrap()), "{}", key.name);
        }
    }

    #[test]
    fn clap_finds_no_fault_in_the_definitions() {
        command::<CommonFlags>("copilot").debug_assert();
        command::<DownloadFlags>("copilot download").debug_assert();
        command::<SidecarFlags>("copilot sidecar").debug_assert();
        command::<RunFlags>("copilot run").debug_assert();
        command::<InspectFlags>("copilot inspect").debug_assert();
        command::<MakeFlags>("copilot make").debug_assert();
        command::<DoctorFlags>("copilot doctor").debug_assert();
        command::<WatchFlags>("copilot watch").debug_assert();
        command::<TemplateFlags>("copilot template").debug_assert();
    }

    #[test]
    fn flags_of_one_command_never_stand_alone() {
        // `route` relies on it: it knows the common flags and those of doctor and watch only.
        let common = without_value();
        for mut command in [
            command::<DownloadFlags>("d"),
            command::<SidecarFlags>("s"),
            command::<RunFlags>("r"),
            command::<InspectFlags>("i"),
            command::<MakeFlags>("m"),
            command::<TemplateFlags>("t"),
        ] {
            command.build();
            for argument in command
                .get_arguments()
                .filter(|argument| !argument.is_positional())
            {
                let long = format!("--{}", argument.get_long().unwrap());
                let needs = argument
                    .get_num_args()
                    .is_some_and(|range| range.min_values() > 0);
                assert!(needs || common.contains(&long), "{long}");
            }
        }
    }

    #[test]
    fn secrets() {
        for flag in [
            "--token",
            "--password",
            "--storage.connection.secret-key",
            "--storage.stow.config",
        ] {
            assert!(is_secret(flag), "{flag}");
        }
        for flag in ["--timeout", "--storage.container", "-t"] {
            assert!(!is_secret(flag), "{flag}");
        }
    }
}
