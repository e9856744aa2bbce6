//! The BPF object: built from `copilot-ebpf`, or provided ready-made.

use std::{env, fs, path::Path};

use anyhow::{Context as _, Result, bail};
use aya_build::{Package, Toolchain, build_ebpf};

use crate::toolchain::{BpfToolchain, has_linker};

/// Names a ready-made object, for machines that cannot build one.
const OBJECT: &str = "COPILOT_EBPF_OBJECT";

/// The name under which the library embeds the object.
const PACKAGE: &str = "copilot-ebpf";

const ADVICE: &str = "run `cargo xtask setup`, or set COPILOT_EBPF_OBJECT to an object built \
     elsewhere, or build without the feature `ebpf` (--no-default-features)";

/// Puts the object into `OUT_DIR`.
pub fn build() -> Result<()> {
    println!("cargo::rerun-if-env-changed={OBJECT}");
    println!("cargo::rerun-if-changed=../copilot-common");
    if let Some(object) = env::var_os(OBJECT) {
        return copy_object(Path::new(&object));
    }
    let Some(toolchain) = BpfToolchain::find() else {
        bail!("no installed compiler can build the BPF programs: {ADVICE}");
    };
    if !has_linker() {
        bail!("bpf-linker, which links the BPF programs, cannot run: {ADVICE}");
    }
    let package = Package {
        name: PACKAGE,
        root_dir: "../copilot-ebpf",
        ..Package::default()
    };
    build_ebpf([package], Toolchain::Custom(toolchain.name())).with_context(|| {
        format!(
            "the BPF programs could not be built with {}",
            toolchain.name()
        )
    })
}

fn copy_object(object: &Path) -> Result<()> {
    println!("cargo::rerun-if-changed={}", object.display());
    let directory = env::var_os("OUT_DIR").context("OUT_DIR is not set")?;
    fs::copy(object, Path::new(&directory).join(PACKAGE)).with_context(|| {
        format!(
            "{OBJECT} names {}, which cannot be copied",
            object.display()
        )
    })?;
    Ok(())
}
