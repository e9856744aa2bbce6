//! The binary: it closes itself to other processes, listens for signals, reads the command line, and hands over
//! to `command`.

use std::ffi::OsString;
use std::process::ExitCode;

use copilot::termination::Termination;
use copilot::track::Timestamp;
use copilot::{cli, command, confine, limits};

fn main() -> ExitCode {
    // First of all: until then every process of our user may read us.
    confine::close();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if !cli::runs_a_program(&arguments) {
        confine::run_no_program();
    }
    confine::arguments::hide(&cli::secrets(&arguments));
    limits::raise_open_files();
    // The runtime panics without them.
    if let Err(error) = limits::check_open_files() {
        eprintln!("Error: {error}");
        return ExitCode::from(2);
    }
    // Pauses between attempts are random. The generator panics if it cannot open its file, so it does that now.
    let _: u64 = rand::random();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Answers come in bursts. The transfers, which are one task, then wait until the connections of a burst have
        // done their part and can be used again: a request that finds none opens another one.
        .event_interval(1024)
        // Threads that look up a name: those that are idle must not outlive a change of capabilities for long.
        .thread_keep_alive(std::time::Duration::from_millis(500))
        .build();
    match runtime {
        // One thread is cheaper than two, and as fast as long as nothing blocks it for long.
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => {
            eprintln!("Error: cannot start: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Vec<OsString>) -> ExitCode {
    // This comes first: a SIGTERM during the setup must neither be lost nor end the process.
    let termination = match Termination::listen() {
        Ok(termination) => termination,
        Err(error) => {
            eprintln!("Error: cannot listen for signals: {error}");
            return ExitCode::from(2);
        }
    };
    let begun = Timestamp::now();
    match cli::parse_with_settings(arguments, &command::own_settings) {
        Ok(invocation) => command::run(invocation, termination, begun).await,
        Err(rejection) => command::reject(&rejection.to_string(), rejection.reportable()).await,
    }
}
