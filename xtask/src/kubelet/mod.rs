//! Tests with a real kubelet: installs the container runtime, builds kubelet, and starts the program
//! `kubelet` of the tests' crate, which runs nodes and pods.
//!
//! [`modules`] builds Kubernetes' programs from the Go module registry, [`patch`] makes the one change to
//! them. Everything is in `target/kubelet`.

mod modules;
mod patch;

use std::{os::unix::process::CommandExt as _, path::PathBuf, process::Command};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{build, command::target_directory, image, setup};

/// Which nodes and pods to run.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Only the scenarios that CI runs.
    #[arg(long)]
    part: bool,
    /// The kind of node: hybrid or v2 [default: both].
    #[arg(long)]
    node: Option<String>,
    /// The cgroup driver whose names the node uses: cgroupfs or systemd [default: each in turn].
    #[arg(long)]
    names: Option<String>,
    /// The containerd release: 1 from Debian's package, or 2 built from source.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    containerd: u8,
    /// Starts a real control plane, and runs the scenarios that need an API server.
    #[arg(long)]
    cluster: bool,
    /// How often each scenario runs.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Only scenarios whose name begins with this; can be given several times.
    #[arg(long)]
    scenario: Vec<String>,
    /// Only sidecars with this privilege: bpf, bpf-seccomp or none.
    #[arg(long)]
    privilege: Option<String>,
    /// Only pods with these pid namespaces: shared or own.
    #[arg(long)]
    pids: Option<String>,
    /// How many pods run at the same time.
    #[arg(long)]
    at_once: Option<usize>,
    /// Leaves the node idle: no other pods that come and go, no busy cores.
    #[arg(long, overrides_with = "load")]
    no_load: bool,
    /// Loads the node with other pods and busy cores (the default).
    #[arg(long)]
    load: bool,
    /// Keeps the logs of pods that passed, too.
    #[arg(long)]
    keep: bool,
    /// Also writes the results to this file, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// The programs of a control plane, in addition to etcd.
const CONTROL_PLANE: [&str; 3] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// Sets up, builds, and replaces itself by the program that runs the pods, so that Ctrl-C reaches that
/// program alone.
pub fn run(options: &Options) -> Result<()> {
    setup::for_kubelet()?;
    let directory = target_directory().join("kubelet");
    let kubelet = modules::kubernetes("kubelet", &directory)?;
    let image = image::for_tests(&build::under_test()?)?;
    let mut command = Command::new(build::program_of_tests("kubelet")?);
    command.arg("run").arg("--image").arg(image);
    command.arg("--kubelet").arg(kubelet);
    command.arg("--directory").arg(&directory);
    if options.cluster {
        setup::for_cluster()?;
        for program in CONTROL_PLANE {
            modules::kubernetes(program, &directory)?;
        }
        command.arg("--cluster").arg(directory.join("bin"));
    }
    if options.containerd == 2 {
        command
            .arg("--containerd")
            .arg(modules::containerd(&directory)?);
    }
    pass(options, &mut command);
    Err(command.exec()).context("the program that runs pods cannot be started")
}

/// Passes the options on to the program.
fn pass(options: &Options, command: &mut Command) {
    for (name, value) in [
        ("--node", &options.node),
        ("--names", &options.names),
        ("--privilege", &options.privilege),
        ("--pids", &options.pids),
    ] {
        if let Some(value) = value {
            command.arg(name).arg(value);
        }
    }
    for scenario in &options.scenario {
        command.arg("--scenario").arg(scenario);
    }
    if let Some(count) = options.at_once {
        command.arg("--at-once").arg(count.to_string());
    }
    command.arg("--rounds").arg(options.rounds.to_string());
    if options.part {
        command.arg("--part");
    }
    if options.no_load {
        command.arg("--no-load");
    }
    if options.keep {
        command.arg("--keep");
    }
    if let Some(file) = &options.json {
        command.arg("--json").arg(file);
    }
}
