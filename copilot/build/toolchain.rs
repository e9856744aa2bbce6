//! Which compiler can build the BPF programs here: one that has, or can build, a `core` for BPF.
//!
//! Shared by the build script, which uses what is there, and `cargo xtask setup`, which installs
//! what is missing.

use std::{path::PathBuf, process::Command};

/// The target of the BPF programs on a machine of this byte order.
pub const BPF_TARGET: &str = if cfg!(target_endian = "big") {
    "bpfeb-unknown-none"
} else {
    "bpfel-unknown-none"
};

/// The nightly that is used. Its LLVM has the version that [`LINKER`] brings, and one date gives
/// the same object everywhere.
pub const NIGHTLY: &str = "nightly-2026-05-20";

/// The name under which `cargo xtask setup` links Debian's packaged compiler into rustup.
pub const DEBIAN_TOOLCHAIN: &str = "copilot-bpf";

/// The program that links BPF objects.
pub const LINKER: &str = "bpf-linker";

/// A compiler that can build for BPF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BpfToolchain {
    /// rustup's nightly with the `rust-src` component: builds `core` itself.
    Nightly,
    /// Debian's packaged compiler, with a prebuilt `core` for BPF.
    Debian,
}

impl BpfToolchain {
    /// The first that works here.
    pub fn find() -> Option<Self> {
        [Self::Nightly, Self::Debian]
            .into_iter()
            .find(|toolchain| toolchain.works())
    }

    /// Its name in rustup.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nightly => NIGHTLY,
            Self::Debian => DEBIAN_TOOLCHAIN,
        }
    }

    fn works(self) -> bool {
        let Some(sysroot) = sysroot(self.name()) else {
            return false;
        };
        let rustlib = sysroot.join("lib/rustlib");
        match self {
            Self::Nightly => rustlib.join("src/rust/library/core").is_dir(),
            Self::Debian => rustlib.join(BPF_TARGET).is_dir(),
        }
    }
}

/// Where a rustup toolchain lies, if it is installed.
fn sysroot(toolchain: &str) -> Option<PathBuf> {
    let output = Command::new("rustup")
        .args(["run", toolchain, "rustc", "--print", "sysroot"])
        .env("RUSTUP_AUTO_INSTALL", "0")
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    Some(String::from_utf8(output.stdout).ok()?.trim_end().into())
}

/// Whether the linker of BPF objects can be run.
pub fn has_linker() -> bool {
    Command::new(LINKER)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}
