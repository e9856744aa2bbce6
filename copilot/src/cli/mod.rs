//! The command line: argv in, one typed request out. The flags are the reference's to the letter
//! (spec §1) and ours beside them.
//!
//! The way of an argument: `route` finds the command as the reference does, `flags` holds the
//! `clap` types that read the texts, `check` looks at the values in the reference's order, and
//! `request` is what is handed on. A refusal is a [`Rejection`]: its message names the flag, the
//! value, the rule and the way out. Never here: reading a file, opening a store, printing. The
//! binary's edge is the only caller.

mod check;
mod choice;
mod flags;
mod global;
mod rejection;
mod request;
mod route;
mod suggest;
mod value;

use std::ffi::OsString;

pub use choice::{DownloadMode, MainFailure, UploadMode, WatcherChoice};
pub use global::Global;
pub use rejection::{Rejection, Reportable};
pub use request::{Command, DownloadRequest, SidecarRequest, TrackOptions, UploadTarget};

/// What a command line asks for.
#[derive(Clone, Debug)]
pub enum Invocation {
    /// Print this text on standard output; done.
    Help(String),
    /// Print name and version on standard output; done.
    Version,
    /// `copilot download`: a task's inputs to local files.
    Download(Box<Global>, Box<DownloadRequest>),
    /// `copilot sidecar`: wait for main, then upload its outputs.
    Sidecar(Box<Global>, Box<SidecarRequest>),
    /// `copilot ready`: succeed once the sidecar's watcher is attached. It has no flags of its own.
    Ready(Box<Global>),
}

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
