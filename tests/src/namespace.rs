//! Mount namespaces: file systems that only one test sees, and that vanish with it.

use std::process::{Command, Stdio};

/// The options with which `unshare` makes a mount namespace here, or `None` if it cannot.
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
