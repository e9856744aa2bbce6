//! Python with the libraries that read Flyte's messages and YAML, and with flytekit, in an environment of
//! its own next to what cargo builds. Only tests use it: to read what we wrote with other software, and
//! to have others write what we read.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, Result};

use super::{packages, say};
use crate::command::{execute, succeeds, target_directory};

/// What is installed, with the names and versions for `pip`.
/// `flytekit` opens references by `s3fs`, reads datasets with `pandas` and
/// `pyarrow`, and objects with `pydantic`.
const LIBRARIES: &[&str] = &[
    "flyteidl==1.16.8",
    "protobuf==7.36.2",
    "PyYAML==6.0.3",
    "flytekit==1.16.31",
    "s3fs==2026.9.0",
    "pandas==3.1.1",
    "pyarrow==26.0.1",
    "pydantic==2.14.4",
];

/// A program that works only if all of them are installed. It imports only what loads quickly.
const PROBE: &str = "import flyteidl.core.literals_pb2, yaml; from importlib.metadata import version; \
                     [version(name) for name in ('flytekit', 's3fs', 'pandas', 'pyarrow', 'pydantic')]";

const STEP: &str = "Python libraries";

/// Finds them, or installs them. If that fails, the tests that need them say so themselves.
pub fn set_up() {
    let directory = target_directory().join("python");
    let python = directory.join("bin/python");
    if succeeds(Command::new(&python).args(["-c", PROBE])) {
        return say(STEP, &format!("found in {}", directory.display()));
    }
    match install(&directory) {
        Ok(()) => say(STEP, &format!("installed in {}", directory.display())),
        Err(error) => say(
            STEP,
            &format!(
                "not found, and they cannot be installed: {error:#}. Install them yourself: \
                 python3 -m venv {directory} && {python} -m pip install {libraries}",
                directory = directory.display(),
                python = python.display(),
                libraries = LIBRARIES.join(" ")
            ),
        ),
    }
}

fn install(directory: &PathBuf) -> Result<()> {
    say(STEP, "installing");
    let environment = || {
        let mut command = Command::new("python3");
        command.args(["-m", "venv", "--clear"]).arg(directory);
        command
    };
    if execute(&mut environment()).is_err() {
        // Debian has a separate package for this.
        packages::install(&["python3-venv"])?;
        execute(&mut environment())?;
    }
    let mut install = Command::new(directory.join("bin/python"));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    execute(install.args(LIBRARIES)).context("pip")
}
