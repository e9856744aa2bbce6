//! `copilot watch`: shows what the tracker sees, on standard output.

use std::io::{self, IsTerminal as _};

use crate::config::{LogLevel, LoggerSettings};
use crate::monitor::{self, MonitorRequest};
use crate::termination::Termination;

use super::conclude::{RunExit, last_line};
use super::request::Global;
use super::{log, session};

/// Shows events until a signal comes, or until nobody reads any more. The log goes to standard error, as in a job.
pub(super) async fn run(
    global: &Global,
    request: &MonitorRequest,
    termination: &mut Termination,
) -> RunExit {
    let stdout = io::stdout();
    let is_terminal = stdout.is_terminal();
    match session::load_settings(global) {
        // The events say all that the log would say; on a terminal it would stand in the table.
        Ok(settings) if !is_terminal => log::set_up(&LoggerSettings {
            level: quieter(settings.logger.level),
            ..settings.logger
        }),
        Ok(_) => {}
        Err(error) => {
            last_line(&error.to_string(), None);
            return RunExit::Usage;
        }
    }
    match monitor::run(request, termination, &mut stdout.lock(), is_terminal).await {
        Ok(()) => RunExit::Done,
        Err(error) => {
            last_line(&global.own_sources.named(&error.to_string()), None);
            RunExit::Usage
        }
    }
}

/// Warnings only, unless debug messages are wanted.
fn quieter(level: LogLevel) -> LogLevel {
    match level {
        LogLevel::Info => LogLevel::Warn,
        level => level,
    }
}
