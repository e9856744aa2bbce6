//! Emulators of stores that are programs of their own, beside what cargo builds. Only tests use them.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::say;
use crate::command::{execute, succeeds, target_directory};

/// Google Cloud Storage.
const FAKE_GCS: &str = "github.com/fsouza/fake-gcs-server@v1.56.1";

/// Azure Blob Storage; later versions want a newer Node than Debian has.
const AZURITE: &str = "azurite@3.35.0";

/// Finds them or installs them. Where that fails, the tests that need them say so themselves.
pub fn set_up() {
    let folder = target_directory().join("emulators");
    let fake_gcs = || {
        let mut command = Command::new(go());
        command.args(["install", FAKE_GCS]);
        execute(command.env("GOBIN", folder.join("bin"))).context("Go")
    };
    let azurite = || {
        let mut command = Command::new("npm");
        command.args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"]);
        execute(command.arg(&folder).arg(AZURITE)).context("npm")
    };
    let steps: [(&str, &str, &dyn Fn() -> Result<()>); 2] = [
        ("fake-gcs-server", "bin", &fake_gcs),
        ("azurite-blob", "node_modules/.bin", &azurite),
    ];
    for (program, below, install) in steps {
        let path = folder.join(below).join(program);
        if path.is_file() || succeeds(Command::new("which").arg(program)) {
            say(program, "found");
            continue;
        }
        say(program, "installing");
        match install() {
            Ok(()) => say(program, &format!("installed in {}", path.display())),
            Err(error) => say(
                program,
                &format!(
                    "not here, and cannot be installed: {error:#}. Put it on PATH yourself: \
                     `go install {FAKE_GCS}`, `npm install --global {AZURITE}`"
                ),
            ),
        }
    }
}

/// Go, also where its own installer puts it.
fn go() -> &'static str {
    let usual = "/usr/local/go/bin/go";
    if succeeds(Command::new("go").arg("version")) {
        "go"
    } else {
        usual
    }
}
