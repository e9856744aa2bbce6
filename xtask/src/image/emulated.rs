//! A binary for another processor, run by Debian's emulator of that processor.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    architecture::Architecture,
    command::{cargo, execute, succeeds},
};

/// The tests of [`check`]: every type of value goes down and up again, and a watcher sees main's end.
const TESTS: [&str; 2] = [
    "inputs_of_every_type_come_back_as_outputs",
    "a_main_that_was_seen_to_end_is_never_done_already",
];

/// Whether the emulator is installed.
pub fn is_possible(architecture: Architecture) -> bool {
    succeeds(Command::new(architecture.emulator()).arg("--version"))
}

/// Runs the binary's `--version`.
///
/// # Errors
/// It does not start.
pub fn start(architecture: Architecture, binary: &Path) -> Result<()> {
    execute(
        Command::new(architecture.emulator())
            .arg(binary)
            .arg("--version"),
    )
}

/// Runs tests with the binary: they get a script in its place, which is written into `folder`.
///
/// # Errors
/// The emulator is missing, or a test fails.
pub fn check(architecture: Architecture, binary: &Path, folder: &Path) -> Result<()> {
    ensure!(
        is_possible(architecture),
        "{} is missing: `cargo xtask setup --cross {}` installs it",
        architecture.emulator(),
        architecture.name()
    );
    let script = write_script(architecture, binary, folder)?;
    let tests = ["test", "--locked", "--package", "copilot-tests"];
    execute(
        cargo()
            .args(tests)
            .args(["--test", "end_to_end", "--"])
            .args(TESTS)
            .env("COPILOT_BINARY", script),
    )
}

fn write_script(architecture: Architecture, binary: &Path, folder: &Path) -> Result<PathBuf> {
    let binary = fs::canonicalize(binary)?;
    let binary = binary.to_str().context("the binary's path is not UTF-8")?;
    let quoted = binary.replace('\'', r"'\''");
    let text = format!(
        "#!/bin/sh\nexec {} '{quoted}' \"$@\"\n",
        architecture.emulator()
    );
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("emulated-{}", architecture.name()));
    fs::write(&path, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(fs::canonicalize(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_passes_the_arguments_on_and_quotes_the_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let binary = folder.path().join("it's a binary");
        fs::write(&binary, "").expect("a file");
        let script = write_script(Architecture::Arm64, &binary, folder.path()).expect("a script");
        let text = fs::read_to_string(script).expect("a script");
        assert!(
            text.starts_with("#!/bin/sh\nexec qemu-aarch64-static '/"),
            "{text}"
        );
        assert!(text.ends_with("it'\\''s a binary' \"$@\"\n"), "{text}");
    }
}
