//! Finds the command of a command line. The reference takes the first word that is neither a flag nor a
//! flag's value, then gives all flags to that command, so flags may stand before and after it.

use std::collections::BTreeSet;
use std::ffi::OsString;

use super::flags;
use super::rejection::Rejection;
use super::suggest;
use crate::command::Command;
use crate::config;

/// Where a command line leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CommandRoute {
    /// To a command, with the arguments around its name.
    Command(Command, Vec<OsString>),
    /// To no command, with all arguments.
    None(Vec<OsString>),
    /// To the help of a command, or of the program.
    Help(Option<Command>),
    /// To completions for this shell.
    Completions(Option<OsString>),
    /// To the manual page of a command, or of the program.
    Manual(Option<Command>),
}

/// Finds the command in `arguments`, which lack the program's name.
pub(super) fn find(mut arguments: Vec<OsString>) -> Result<CommandRoute, Rejection> {
    let Some(position) = word(&arguments) else {
        return Ok(CommandRoute::None(arguments));
    };
    let name = arguments.remove(position).to_string_lossy().into_owned();
    match name.as_str() {
        "help" => topic(&arguments).map(CommandRoute::Help),
        "man" => topic(&arguments).map(CommandRoute::Manual),
        // The reference's name is in the singular.
        "completions" | "completion" => {
            let shell = word(&arguments).map(|at| arguments[at].clone());
            Ok(CommandRoute::Completions(shell))
        }
        "config" => Err(Rejection::usage(
            "the command config is not supported yet; each command checks the settings when it \
             starts, and names what is wrong",
        )),
        name => match named(name) {
            Ok(command) => Ok(CommandRoute::Command(command, arguments)),
            Err(unknown) => Err(value_of_boolean(&arguments[..position], name).unwrap_or(unknown)),
        },
    }
}

/// The command that a word behind `help` or `man` names.
fn topic(arguments: &[OsString]) -> Result<Option<Command>, Rejection> {
    let name = word(arguments).map(|at| arguments[at].to_string_lossy());
    name.map(|name| named(&name)).transpose()
}

fn named(name: &str) -> Result<Command, Rejection> {
    match name {
        // The reference's own notes use this name.
        "downloader" => Ok(Command::Download),
        _ => Command::ALL
            .into_iter()
            .find(|command| command.name() == name)
            .ok_or_else(|| unknown(name)),
    }
}

/// What is wrong with a word that was to be the value of the boolean flag before it.
fn value_of_boolean(before: &[OsString], word: &str) -> Option<Rejection> {
    let flag = before.last()?.to_string_lossy();
    let is_alone = flags::without_value().contains(flag.as_ref());
    let is_boolean = config::boolean(word).is_ok();
    (is_alone && is_boolean).then(|| Rejection::usage(flags::separate_word(&flag, word)))
}

fn unknown(name: &str) -> Rejection {
    let names = Command::ALL.map(Command::name);
    let list = names.join(", ");
    let hint = suggest::hint(name, names.into_iter());
    let name = suggest::shortened(name);
    Rejection::usage(format!(
        "unknown command {name:?}: it is one of {list}{hint}"
    ))
}

/// The position of the first argument that is neither a flag nor a flag's value. Only the flags that all
/// commands share, and those that need no value, are known here.
fn word(arguments: &[OsString]) -> Option<usize> {
    let alone = flags::without_value();
    let mut position = 0;
    while let Some(argument) = arguments.get(position) {
        let argument = argument.to_string_lossy();
        if argument == "--" {
            return None;
        }
        if !argument.starts_with('-') && !argument.is_empty() {
            return Some(position);
        }
        position += if takes_next(&argument, &alone) { 2 } else { 1 };
    }
    None
}

/// Whether the next argument is this one's value.
fn takes_next(argument: &str, alone: &BTreeSet<String>) -> bool {
    let is_long = argument.starts_with("--");
    let is_short = argument.starts_with('-') && argument.chars().count() == 2;
    (is_long || is_short) && !argument.contains('=') && !alone.contains(argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(arguments: &[&str]) -> Result<CommandRoute, String> {
        find(arguments.iter().map(OsString::from).collect()).map_err(|error| error.to_string())
    }

    fn to(command: Command, arguments: &[&str]) -> CommandRoute {
        CommandRoute::Command(command, arguments.iter().map(OsString::from).collect())
    }

    #[test]
    fn the_command_is_the_first_word_that_is_not_a_value() {
        for (arguments, command, rest) in [
            (&["download", "x"][..], Command::Download, &["x"][..]),
            (&["downloader"], Command::Download, &[]),
            (
                &["--config", "download", "sidecar"],
                Command::Sidecar,
                &["--config", "download"],
            ),
            (&["--config=a", "ready"], Command::Ready, &["--config=a"]),
            (
                &["-n", "download", "ready"],
                Command::Ready,
                &["-n", "download"],
            ),
            (&["-ndownload", "ready"], Command::Ready, &["-ndownload"]),
            (&["-s", "ready"], Command::Ready, &["-s"]),
            (&["--json", "doctor"], Command::Doctor, &["--json"]),
            (
                &["--logger.mute", "ready"],
                Command::Ready,
                &["--logger.mute"],
            ),
            (
                &["--to-local-dir", "ready", "download"],
                Command::Download,
                &["--to-local-dir", "ready"],
            ),
            (&["", "-", "download"], Command::Download, &["", "-"]),
        ] {
            assert_eq!(route(arguments), Ok(to(command, rest)), "{arguments:?}");
        }
    }

    #[test]
    fn no_command() {
        for arguments in [
            &[][..],
            &["--", "download"],
            &["--config", "download"],
            &["--help"],
        ] {
            let expected = CommandRoute::None(arguments.iter().map(OsString::from).collect());
            assert_eq!(route(arguments), Ok(expected), "{arguments:?}");
        }
    }

    #[test]
    fn help_as_a_word() {
        assert_eq!(route(&["help"]), Ok(CommandRoute::Help(None)));
        assert_eq!(
            route(&["help", "sidecar"]),
            Ok(CommandRoute::Help(Some(Command::Sidecar)))
        );
        assert!(route(&["help", "nope"]).is_err());
    }

    #[test]
    fn refused_words() {
        for (word, message) in [
            (
                "donwload",
                "unknown command \"donwload\": it is one of download, sidecar, ready, run, inspect, make, doctor, watch, \
                 template; did you mean download?",
            ),
            ("config", "not supported yet"),
        ] {
            let error = route(&[word]).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
