//! Compiles Flyte's messages (`proto/`) into Rust: protox reads them, prost writes the code. No protoc.

use std::path::Path;

use anyhow::{Context, Result};

/// Relative to the folder of this package.
const ROOT: &str = "../proto";

const FILES: [&str; 5] = [
    "flyteidl/core/artifacts.proto",
    "flyteidl/core/errors.proto",
    "flyteidl/core/interface.proto",
    "flyteidl/core/literals.proto",
    "flyteidl/core/types.proto",
];

/// Fields that are rare and large: on the heap, so that a plain literal stays small when there are
/// a hundred thousand of them.
const BOXED: [&str; 3] = [
    ".flyteidl.core.Literal.artifact_id",
    ".flyteidl.core.Literal.value.offloaded_metadata",
    ".flyteidl.core.Scalar.value.structured_dataset",
];

/// Writes `flyteidl.core.rs` into `OUT_DIR`.
pub fn compile() -> Result<()> {
    println!("cargo::rerun-if-changed={ROOT}");
    let files = FILES.map(|file| Path::new(ROOT).join(file));
    let descriptors = protox::compile(files, [ROOT]).context("reading proto/")?;
    let mut config = prost_build::Config::new();
    // Ordered maps: the same message always has the same bytes.
    config.btree_map(["."]);
    // Shared bytes: what is decoded from a buffer points into it.
    config.bytes(["."]);
    for field in BOXED {
        config.boxed(field);
    }
    config
        .compile_fds(descriptors)
        .context("generating Rust for proto/")
}
