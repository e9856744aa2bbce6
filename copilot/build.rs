//! Compiles what is not Rust: Flyte's messages.

#[path = "build/proto.rs"]
mod proto;

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    proto::compile()
}
