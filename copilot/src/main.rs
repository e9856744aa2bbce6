//! `copilot`: the binary's edge, as small as it can be.

use std::process::ExitCode;

use copilot::termination::Termination;
use copilot::track::Timestamp;
use copilot::{cli, command};

/// One thread: it is cheaper than two and as fast, as long as nothing blocks it for long.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // First, so that a SIGTERM that comes while settings are read is not lost, nor ends us.
    let termination = match Termination::listen() {
        Ok(termination) => termination,
        Err(error) => {
            eprintln!("Error: signals cannot be listened to: {error}");
            return ExitCode::from(2);
        }
    };
    let begun = Timestamp::now();
    match cli::parse(std::env::args_os()) {
        Ok(invocation) => command::run(invocation, termination, begun).await,
        Err(rejection) => command::reject(&rejection.to_string(), rejection.reportable()).await,
    }
}
