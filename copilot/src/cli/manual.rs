//! What helps at a shell: completions and manual pages, made from the flags themselves. Only `cli` calls it.

use std::ffi::OsString;

use clap::{Arg, Command as ClapCommand, ValueEnum as _};
use clap_complete::Shell;

use super::flags;
use super::rejection::Rejection;
use super::suggest;
use crate::command::{Command, Invocation};

/// The shells that there are completions for.
const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

/// `copilot completions SHELL`: a script that the shell reads.
pub(super) fn completions(shell: Option<OsString>) -> Result<Invocation, Rejection> {
    let given = shell.unwrap_or_default();
    let given = given.to_string_lossy();
    let Ok(shell) = Shell::from_str(&given, true) else {
        let hint = suggest::hint(&given, SHELLS.into_iter());
        let message = format!(
            "completions {:?}: name one of the shells {}{hint}",
            suggest::shortened(&given),
            SHELLS.join(", ")
        );
        return Err(Rejection::usage(message));
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree(), "copilot", &mut script);
    Ok(answer(&script))
}

/// `copilot man [COMMAND]`: a manual page, for `man -l -` or a package.
pub(super) fn page(topic: Option<Command>) -> Result<Invocation, Rejection> {
    let command = match topic {
        None => tree(),
        Some(topic) => visible(Some(topic), page_name(topic)),
    };
    let mut page = Vec::new();
    let written = clap_mangen::Man::new(command).render(&mut page);
    written.map_err(|error| Rejection::usage(format!("the page cannot be written: {error}")))?;
    Ok(answer(&page))
}

/// The name of a command's page, as `man` finds it.
fn page_name(command: Command) -> &'static str {
    match command {
        Command::Download => "copilot-download",
        Command::Sidecar => "copilot-sidecar",
        Command::Ready => "copilot-ready",
        Command::Run => "copilot-run",
        Command::Inspect => "copilot-inspect",
        Command::Make => "copilot-make",
        Command::Doctor => "copilot-doctor",
        Command::Watch => "copilot-watch",
        Command::Template => "copilot-template",
    }
}

fn answer(text: &[u8]) -> Invocation {
    Invocation::Help(String::from_utf8_lossy(text).into_owned())
}

/// The program with its commands.
fn tree() -> ClapCommand {
    let root = visible(None, "copilot");
    let commands = Command::ALL.map(|command| visible(Some(command), command.name()));
    let shell = Arg::new("shell")
        .value_name("SHELL")
        .required(true)
        .value_parser(clap::builder::EnumValueParser::<Shell>::new());
    let completions = ClapCommand::new("completions").about("Print completions for a shell");
    let man = ClapCommand::new("man").about("Print a manual page");
    root.subcommands(commands)
        .subcommand(completions.arg(shell))
        .subcommand(man.arg(Arg::new("command").value_name("COMMAND")))
}

/// A command with the flags that help shows.
fn visible(topic: Option<Command>, name: &'static str) -> ClapCommand {
    let mut definition = flags::definition(topic);
    definition.build();
    let about = definition.get_about().cloned().unwrap_or_default();
    let shown = |argument: &&Arg| {
        let is_ours = !["help", "version"].contains(&argument.get_id().as_str());
        is_ours && !argument.is_positional() && !argument.is_hide_set()
    };
    let arguments: Vec<Arg> = definition.get_arguments().filter(shown).cloned().collect();
    ClapCommand::new(name)
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .args(arguments)
}
