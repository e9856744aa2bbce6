//! The command line: argv in, one typed request out. The flags are the reference's to the letter
//! (spec §1) and ours beside them.
//!
//! The way of an argument: `route` finds the command as the reference does, `flags` holds the
//! `clap` types that read the texts, `check` looks at the values in the reference's order, and
//! the request types, which the jobs own, are what is handed on. A refusal is a [`Rejection`]: its message names the flag, the
//! value, the rule and the way out. Never here: reading a file, opening a store, printing. The
//! binary's edge is the only caller.

mod check;
mod choice;
mod flags;
mod global;
mod rejection;
mod route;
mod suggest;
mod value;
mod watchers;

use std::ffi::OsString;

pub use rejection::Rejection;

use crate::command::{Command, Invocation};

/// Turns a command line, the program's name first, into what it asks for.
pub fn parse(argv: impl IntoIterator<Item = OsString>) -> Result<Invocation, Rejection> {
    let arguments = argv.into_iter().skip(1).collect();
    match route::find(arguments)? {
        route::Route::Help(command) => Ok(Invocation::Help(flags::help(command))),
        route::Route::None(arguments) => check::none(&arguments),
        route::Route::Command(Command::Download, arguments) => check::download(&arguments),
        route::Route::Command(Command::Sidecar, arguments) => check::sidecar(&arguments),
        route::Route::Command(Command::Ready, arguments) => check::ready(&arguments),
    }
}

#[cfg(test)]
mod tests;
