//! The BPF object: built from `copilot-ebpf`, or provided ready-made.

use std::{env, fs, path::Path};

use anyhow::{Context as _, Result, bail};
use aya_build::{Package, Toolchain, build_ebpf};

use crate::strip::without_debug_information;
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
    let directory = env::var_os("OUT_DIR").context("OUT_DIR is not set")?;
    let built = Path::new(&directory).join(PACKAGE);
    let object = if let Some(given) = env::var_os(OBJECT) {
        let given = Path::new(&given);
        println!("cargo::rerun-if-changed={}", given.display());
        fs::read(given)
            .with_context(|| format!("{OBJECT} names {}, which cannot be read", given.display()))?
    } else {
        build_object()?;
        fs::read(&built).context("the BPF object cannot be read")?
    };
    let stripped = without_debug_information(&object).context("the BPF object is malformed")?;
    fs::write(&built, stripped).context("the BPF object cannot be written")
}

fn build_object() -> Result<()> {
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
