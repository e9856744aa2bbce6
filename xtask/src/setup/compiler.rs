//! The compiler of the BPF programs: a pinned nightly from rustup, or Debian's package.

use std::process::Command;

use anyhow::{Result, bail};

use super::{
    packages, say,
    toolchain::{BpfToolchain, DEBIAN_TOOLCHAIN, NIGHTLY},
};
use crate::command::{execute, succeeds};

/// Debian's compiler, which comes with a prebuilt `core` for BPF.
const PACKAGES: &[&str] = &["rustc-web", "libstd-rust-web-dev-bpf"];

const STEP: &str = "compiler of the BPF programs";

/// Finds a compiler, or installs one.
pub fn set_up() -> Result<()> {
    if let Some(found) = BpfToolchain::find() {
        say(STEP, &format!("found {}", describe(found)));
        return Ok(());
    }
    if (install_nightly() || install_debian())
        && let Some(installed) = BpfToolchain::find()
    {
        say(STEP, &format!("installed {}", describe(installed)));
        return Ok(());
    }
    bail!(
        "no compiler can build the BPF programs, and none could be installed. Install one of:\n  \
         rustup toolchain install {NIGHTLY} --profile minimal --component rust-src\n  \
         apt-get install --no-install-recommends {packages} && \
         rustup toolchain link {DEBIAN_TOOLCHAIN} /usr",
        packages = PACKAGES.join(" ")
    )
}

fn describe(toolchain: BpfToolchain) -> String {
    match toolchain {
        BpfToolchain::Nightly => format!("{NIGHTLY} from rustup, with rust-src"),
        BpfToolchain::Debian => "Debian's compiler, with a prebuilt core for BPF".to_owned(),
    }
}

fn install_nightly() -> bool {
    say(
        STEP,
        "not found: trying to install the nightly toolchain with rustup",
    );
    let installed = execute(Command::new("rustup").args([
        "toolchain",
        "install",
        NIGHTLY,
        "--profile",
        "minimal",
        "--component",
        "rust-src",
        "--no-self-update",
    ]));
    if let Err(error) = &installed {
        say(STEP, &format!("not installed: {error:#}"));
    }
    installed.is_ok()
}

fn install_debian() -> bool {
    say(STEP, "trying to install Debian's package of the compiler");
    let installed = packages::install(PACKAGES).and_then(|()| {
        execute(Command::new("rustup").args(["toolchain", "link", DEBIAN_TOOLCHAIN, "/usr"]))
    });
    if let Err(error) = &installed {
        say(STEP, &format!("not installed: {error:#}"));
    }
    installed.is_ok() && succeeds(Command::new("/usr/bin/rustc").arg("--version"))
}
