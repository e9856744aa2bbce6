//! The command line: argv in, one typed request out. It has the reference's flags to the letter (spec
//! §1), and our own.
//!
//! An argument's way: `route` finds the command as the reference does, `flags` reads the texts with
//! `clap`, `check` checks the values in the reference's order and fills the request types, which the
//! jobs own. A refusal is a [`Rejection`]. [`secrets()`] finds what no other process may read. Never here: reading a file, opening a store, printing. Only
//! `main` calls it.

mod check;
mod choice;
mod describe;
mod doctor;
mod error;
mod flags;
mod global;
mod kubernetes;
mod manual;
mod rejection;
mod route;
mod secrets;
mod suggest;
mod tree;
mod trial;
mod value;
mod watch;
mod watchers;

use std::ffi::OsString;

pub use rejection::Rejection;
pub use secrets::secrets;

use self::route::CommandRoute;
use crate::command::{Command, Invocation};

/// Reads a command line, whose first argument is the program's name.
pub fn parse(argv: impl IntoIterator<Item = OsString>) -> Result<Invocation, Rejection> {
    let arguments = argv.into_iter().skip(1).collect();
    match route::find(arguments)? {
        CommandRoute::Help(command) => Ok(Invocation::Help(flags::help(command))),
        CommandRoute::Completions(shell) => manual::completions(shell),
        CommandRoute::Manual(topic) => manual::page(topic),
        CommandRoute::None(arguments) => check::none(&arguments),
        CommandRoute::Command(Command::Download, arguments) => check::download(&arguments),
        CommandRoute::Command(Command::Sidecar, arguments) => check::sidecar(&arguments),
        CommandRoute::Command(Command::Ready, arguments) => check::ready(&arguments),
        CommandRoute::Command(Command::Run, arguments) => trial::run(&arguments),
        CommandRoute::Command(Command::Inspect, arguments) => describe::inspect(&arguments),
        CommandRoute::Command(Command::Make, arguments) => describe::make(&arguments),
        CommandRoute::Command(Command::Doctor, arguments) => doctor::check(&arguments),
        CommandRoute::Command(Command::Watch, arguments) => watch::check(&arguments),
    }
}

/// Whether a command line, whose first argument is the program's name, asks for a program of its own (`run`).
#[must_use]
pub fn runs_a_program(argv: &[OsString]) -> bool {
    let arguments = argv.iter().skip(1).cloned().collect();
    matches!(
        route::find(arguments),
        Ok(CommandRoute::Command(Command::Run, _))
    )
}

#[cfg(test)]
mod tests;
