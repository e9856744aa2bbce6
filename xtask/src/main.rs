//! `cargo xtask`: everything that a person or CI does with this repository.
//!
//! `main` only dispatches; each subcommand has its own file. The product does not need any of this
//! when it runs.

mod architecture;
mod bench;
mod build;
mod command;
mod demo;
mod fuzz;
mod generate;
mod image;
mod kernels;
mod kubelet;
mod setup;
mod test;

use clap::Parser;

/// Sets up, builds, tests and measures Copilot.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Verb {
    /// Finds or installs what building and testing need.
    Setup(setup::Options),
    /// Builds the optimised binary at target/release/copilot.
    Build(build::Options),
    /// Packs the binary as an OCI image, without Docker.
    Image(image::Options),
    /// Runs Copilot on real input, end to end, with embedded defaults.
    Demo(demo::Options),
    /// Runs all tests.
    Test(test::Options),
    /// Writes the files that come from the code: help, manual pages, completions, docs/configuration.md.
    Generate(generate::Options),
    /// Sends made-up input to whatever reads input of others, guided by coverage.
    Fuzz(fuzz::Options),
    /// Runs the tracker's core scenarios on other kernels, in emulated machines.
    Kernels(kernels::Options),
    /// Runs pods with a real kubelet and container runtime, and compares the sidecar with kubelet.
    Kubelet(kubelet::Options),
    /// Measures Copilot, compared with other programs in the same run.
    Bench(bench::Options),
}

fn main() {
    let result = match Verb::parse() {
        Verb::Setup(options) => setup::run(options),
        Verb::Build(options) => build::run(options),
        Verb::Image(options) => image::run(&options),
        Verb::Demo(options) => demo::run(&options),
        Verb::Test(options) => test::run(&options),
        Verb::Generate(options) => generate::run(options),
        Verb::Fuzz(options) => fuzz::run(&options),
        Verb::Kernels(options) => kernels::run(&options),
        Verb::Kubelet(options) => kubelet::run(&options),
        Verb::Bench(options) => bench::run(&options),
    };
    if let Err(error) = result {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}
