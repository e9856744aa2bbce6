//! `copilot run`: the run or the check, its result on standard output, and the exit code.

use super::conclude::{RunExit, last_line};
use super::print;
use super::request::Global;
use super::session::{Session, SessionError};
use crate::report::bounded;
use crate::termination::Termination;
use crate::trial::{self, Action, CommandEnd, TrialError, TrialRequest, TrialResult};

/// Runs a task on this machine, or checks its outputs.
pub(super) async fn run(
    global: &Global,
    request: &TrialRequest,
    termination: &mut Termination,
) -> RunExit {
    let result = match &request.action {
        Action::Check(directory) => trial::check(request, directory),
        Action::Run(runtime) => {
            let session = match Session::for_people(global) {
                Ok(session) => session,
                Err(error) => return usage(&error),
            };
            // A large future: it holds those of all transfers.
            Box::pin(trial::run(request, runtime, &session.engine, termination)).await
        }
    };
    match result {
        Ok(result) => show(&result, request.json),
        Err(error) => fail(&error),
    }
}

fn show(result: &TrialResult, as_json: bool) -> RunExit {
    if as_json {
        print(&format!("{:#}\n", result.to_json()));
    } else {
        print(&result.in_words());
    }
    let exit_code = result.exit_code();
    // The exit code of a command that failed says enough; what it wrote last shall stay the last.
    let has_succeeded = |command: &CommandEnd| command.exit_code == 0;
    if result.command.as_ref().is_none_or(has_succeeded)
        && let Some(problem) = result.problems.first()
    {
        let more = result.problems.len() - 1;
        let more = if more > 0 {
            format!(" (and {more} more)")
        } else {
            String::new()
        };
        last_line(&bounded(&format!("{problem}{more}")), None);
    }
    RunExit::OfTheCommand(exit_code)
}

fn usage(error: &SessionError) -> RunExit {
    last_line(&error.to_string(), None);
    RunExit::Usage
}

fn fail(error: &TrialError) -> RunExit {
    last_line(&bounded(&error.to_string()), None);
    RunExit::Failed
}
