//! The command line: argv in, one typed request out. It has the reference's flags to the letter (spec
//! §1), and our own.
//!
//! An argument's way: `route` finds the command as the reference does, `own` adds our own settings that only files
//! and variables give, `flags` reads the texts with `clap`, `check` checks the values in the reference's order and
//! fills the request types, which the jobs own. A refusal is a [`Rejection`]. [`secrets()`] finds what no other
//! process may read. Never here: reading a file, opening a store, printing. Only `main` calls it.

mod check;
mod choice;
mod describe;
mod doctor;
mod error;
mod flags;
mod global;
mod kubernetes;
mod manual;
mod own;
mod rejection;
mod route;
mod secrets;
mod suggest;
mod template;
mod tree;
mod trial;
mod value;
mod watch;
mod watchers;

use std::ffi::OsString;

pub use own::OwnReader;
pub use rejection::Rejection;
pub use secrets::secrets;

use self::route::CommandRoute;
use crate::command::{Command, Invocation};

/// Reads a command line, whose first argument is the program's name, and nothing else.
pub fn parse(argv: impl IntoIterator<Item = OsString>) -> Result<Invocation, Rejection> {
    let arguments = argv.into_iter().skip(1).collect();
    request(route::find(arguments)?)
}

/// The same with our own settings that files and variables hold; `read` gives them.
pub fn parse_with_settings(
    argv: impl IntoIterator<Item = OsString>,
    read: OwnReader<'_>,
) -> Result<Invocation, Rejection> {
    let arguments = argv.into_iter().skip(1).collect();
    let (route, origins) = own::complete(route::find(arguments)?, read);
    origins.note(request(route))
}

/// From a command and its arguments to a request.
fn request(route: CommandRoute) -> Result<Invocation, Rejection> {
    match route {
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
        CommandRoute::Command(Command::Template, arguments) => template::check(&arguments),
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
