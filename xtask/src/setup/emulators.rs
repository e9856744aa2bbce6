//! Servers of object stores, installed next to what cargo builds. Only tests and benches use them.

use std::path::Path;
use std::process::Command;

use super::say;
use crate::command::{execute, succeeds, target_directory};

/// Google Cloud Storage.
const FAKE_GCS: &str = "github.com/fsouza/fake-gcs-server@v1.56.1";

/// An S3 server that runs in clusters. Go does not understand its version numbers, so this is a
/// commit.
const MINIO: &str = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c";

/// Azure Blob Storage; later versions need a newer Node.js than Debian has.
const AZURITE: &str = "azurite@3.35.0";

/// Finds them, or installs them. If that fails, the tests that need them say so themselves.
pub fn set_up() {
    let folder = target_directory().join("emulators");

    for (program, module) in [("fake-gcs-server", FAKE_GCS), ("minio", MINIO)] {
        let mut install = Command::new(go());
        // Without symbols for a debugger: a third less.
        install.args(["install", "-ldflags=-s -w", module]);
        install.env("GOBIN", folder.join("bin"));
        ensure(program, &folder.join("bin"), &mut install);
    }

    let mut install = Command::new("npm");
    install.args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"]);
    install.arg(&folder).arg(AZURITE);
    ensure(
        "azurite-blob",
        &folder.join("node_modules/.bin"),
        &mut install,
    );
}

fn ensure(program: &str, folder: &Path, install: &mut Command) {
    let path = folder.join(program);
    if path.is_file() || succeeds(Command::new("which").arg(program)) {
        return say(program, "found");
    }
    say(program, "installing");
    match execute(install) {
        Ok(()) => say(program, &format!("installed in {}", folder.display())),
        Err(error) => say(
            program,
            &format!(
                "not found, and it cannot be installed: {error:#}. Put it on PATH yourself: \
                 `go install {FAKE_GCS}`, `go install {MINIO}`, `npm install --global {AZURITE}`"
            ),
        ),
    }
}

/// The `go` command, also from the folder that Go's own installer uses.
pub fn go() -> &'static str {
    let usual = "/usr/local/go/bin/go";
    if succeeds(Command::new("go").arg("version")) {
        "go"
    } else {
        usual
    }
}
