//! Builds what the library needs besides its own source: Flyte's messages, and the BPF object that it
//! embeds (feature `ebpf`).

use std::env;
use std::process::{Command, ExitCode};

#[cfg(feature = "ebpf")]
#[path = "build/ebpf.rs"]
mod ebpf;
#[path = "build/proto.rs"]
mod proto;
#[cfg(feature = "ebpf")]
#[path = "build/strip.rs"]
mod strip;
#[cfg(feature = "ebpf")]
#[path = "build/toolchain.rs"]
mod toolchain;

/// Makes the cargo that `aya-build` starts print errors only. `aya-build` turns each line of that cargo
/// into a warning of this crate, so its progress would show in every build.
const QUIET: &str = "CARGO_TERM_QUIET";
/// Contradicts [`QUIET`].
const VERBOSE: &str = "CARGO_TERM_VERBOSE";

fn main() -> ExitCode {
    if env::var_os(QUIET).is_some() {
        build();
        return ExitCode::SUCCESS;
    }
    // `aya-build` hands its own environment on to cargo. A second process is the safe way to change it.
    let mut again = Command::new(env::args_os().next().unwrap_or_default());
    match again.env(QUIET, "true").env_remove(VERBOSE).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("cargo::error=the build script cannot start itself again: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    #[cfg(feature = "ebpf")]
    report(ebpf::build());
    report(proto::compile());
}

/// Prints an error as one sentence, without a backtrace: cargo shows it as the error of this crate.
fn report(result: anyhow::Result<()>) {
    if let Err(error) = result {
        println!("cargo::error={error:#}");
    }
}
