//! Builds what the library embeds: the BPF object (feature `ebpf`).

#[cfg(feature = "ebpf")]
#[path = "build/ebpf.rs"]
mod ebpf;
#[cfg(feature = "ebpf")]
#[path = "build/toolchain.rs"]
mod toolchain;

fn main() {
    #[cfg(feature = "ebpf")]
    if let Err(error) = ebpf::build() {
        // One sentence, no backtrace: cargo shows it as the error of this crate.
        println!("cargo::error={error:#}");
    }
}
