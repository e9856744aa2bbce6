//! Builds what the library is made of beside its own source: Flyte's messages, and the BPF object
//! that it embeds (feature `ebpf`).

#[cfg(feature = "ebpf")]
#[path = "build/ebpf.rs"]
mod ebpf;
#[path = "build/proto.rs"]
mod proto;
#[cfg(feature = "ebpf")]
#[path = "build/toolchain.rs"]
mod toolchain;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    #[cfg(feature = "ebpf")]
    report(ebpf::build());
    report(proto::compile());
}

/// One sentence, no backtrace: cargo shows it as the error of this crate.
fn report(result: anyhow::Result<()>) {
    if let Err(error) = result {
        println!("cargo::error={error:#}");
    }
}
