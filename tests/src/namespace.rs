//! Mount namespaces: file systems of a test's own that nobody else sees and that end with it.

use std::process::{Command, Stdio};

/// The options with which `unshare` makes a mount namespace here, if any does.
#[must_use]
pub fn unshare() -> Option<Vec<&'static str>> {
    let ways = [
        vec!["--mount"],
        vec!["--user", "--map-root-user", "--mount"],
    ];
    ways.into_iter().find(|options| {
        let mut command = Command::new("unshare");
        let tried = command.args(options).arg("true").stderr(Stdio::null());
        tried.status().is_ok_and(|status| status.success())
    })
}
