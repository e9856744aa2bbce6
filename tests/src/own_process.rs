//! A test in a process of its own, where a signal to the process or its memory is what it tests: the other
//! tests of a target run in the same process, at the same time.

use std::env;
use std::process::Command;

/// Names the test that a process runs alone.
const ALONE: &str = "COPILOT_TEST_ALONE";

/// Whether this process runs `test` alone. If not, runs it in a process of its own, and the caller has
/// nothing more to do. `test` is the name that the harness shows.
///
/// # Panics
/// If the test fails there.
#[must_use]
pub fn is_alone(test: &str) -> bool {
    if env::var_os(ALONE).is_some_and(|name| name == test) {
        return true;
    }
    let program = env::current_exe().expect("the test program has a path");
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture"]);
    let output = command.env(ALONE, test).output();
    let output = output.expect("the test program can be run");
    let log = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{test} failed alone:\n{log}");
    assert!(
        log.contains("1 passed"),
        "no test has the name {test}:\n{log}"
    );
    false
}
