//! The binary that end-to-end tests run.

use std::env;
use std::path::{Path, PathBuf};

/// `COPILOT_BINARY` if set, else what `cargo xtask build` made, else a debug build.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn copilot() -> PathBuf {
    if let Some(named) = env::var_os("COPILOT_BINARY") {
        return named.into();
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || workspace.unwrap_or(Path::new("/")).join("target"),
        PathBuf::from,
    );
    ["release/copilot", "debug/copilot"]
        .iter()
        .map(|path| target.join(path))
        .find(|path| path.is_file())
        .expect("the binary is not built; run: cargo xtask build")
}
