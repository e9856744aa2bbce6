//! The linker of the BPF programs.

use anyhow::{Context as _, Result};

use super::{
    say,
    toolchain::{LINKER, has_linker},
};
use crate::command::{cargo, execute};

/// The last version that brings its LLVM within rustc; later ones need LLVM's packages.
const VERSION: &str = "0.10.4";

const STEP: &str = "linker of the BPF programs";

/// Finds it or installs it.
pub fn set_up() -> Result<()> {
    if has_linker() {
        say(STEP, &format!("found {LINKER}"));
        return Ok(());
    }
    say(
        STEP,
        &format!("installing {LINKER} {VERSION}; this takes a minute or two"),
    );
    execute(cargo().args(["install", LINKER, "--version", VERSION, "--locked"])).with_context(
        || format!("install it yourself: cargo install {LINKER} --version {VERSION} --locked"),
    )?;
    say(STEP, &format!("installed {LINKER} {VERSION}"));
    Ok(())
}
