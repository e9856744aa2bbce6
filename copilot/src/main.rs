//! The binary: it listens for signals, reads the command line, and hands over to `command`.

use std::process::ExitCode;

use copilot::termination::Termination;
use copilot::track::Timestamp;
use copilot::{cli, command, descriptors};

fn main() -> ExitCode {
    descriptors::raise_limit();
    // The runtime panics without them.
    if let Err(error) = descriptors::check() {
        eprintln!("Error: {error}");
        return ExitCode::from(2);
    }
    run()
}

/// One thread is cheaper than two, and as fast as long as nothing blocks it for long.
#[tokio::main(flavor = "current_thread")]
async fn run() -> ExitCode {
    // This comes first: a SIGTERM during the setup must neither be lost nor end the process.
    let termination = match Termination::listen() {
        Ok(termination) => termination,
        Err(error) => {
            eprintln!("Error: cannot listen for signals: {error}");
            return ExitCode::from(2);
        }
    };
    let begun = Timestamp::now();
    match cli::parse(std::env::args_os()) {
        Ok(invocation) => command::run(invocation, termination, begun).await,
        Err(rejection) => command::reject(&rejection.to_string(), rejection.reportable()).await,
    }
}
