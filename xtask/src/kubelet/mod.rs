//! A real kubelet in our own tests: installs its container runtime, builds it, and has the program
//! `kubelet` of the tests' crate run nodes and pods.
//!
//! [`modules`] builds Kubernetes' programs from the Go module registry, [`patch`] is the one change to
//! them. All of it lies in `target/kubelet`. Called by the verb; nothing here knows a scenario.

mod modules;
mod patch;

use std::{os::unix::process::CommandExt as _, path::PathBuf, process::Command};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{build, command::target_directory, setup};

/// What to run.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The part that fits CI.
    #[arg(long)]
    part: bool,
    /// One kind of node: hybrid or v2 [default: both].
    #[arg(long)]
    node: Option<String>,
    /// How the node names cgroups: cgroupfs or systemd [default: each in turn].
    #[arg(long)]
    names: Option<String>,
    /// Which containerd: 1, Debian's, or 2, built from its source.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    containerd: u8,
    /// With a real control plane: the watcher `kube-api`, and what needs an API server.
    #[arg(long)]
    cluster: bool,
    /// How often.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Only scenarios whose name begins so; may be given several times.
    #[arg(long)]
    scenario: Vec<String>,
    /// Only sidecars of this privilege: bpf, bpf-seccomp, none.
    #[arg(long)]
    privilege: Option<String>,
    /// Only pods with these pid namespaces: shared, own.
    #[arg(long)]
    pids: Option<String>,
    /// How many pods run at once.
    #[arg(long)]
    at_once: Option<usize>,
    /// Without other pods that come and go and without busy cores.
    #[arg(long, overrides_with = "load")]
    no_load: bool,
    /// With them: the default.
    #[arg(long)]
    load: bool,
    /// Keeps the logs of pods that passed as well.
    #[arg(long)]
    keep: bool,
    /// Also writes what came out to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// The programs of a control plane, beside etcd.
const CONTROL_PLANE: [&str; 3] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// Sets up, builds, and becomes the program that runs them: so Ctrl-C ends that one in order.
pub fn run(options: &Options) -> Result<()> {
    setup::for_kubelet()?;
    let directory = target_directory().join("kubelet");
    let kubelet = modules::kubernetes("kubelet", &directory)?;
    let copilot = build::under_test()?;
    let mut command = Command::new(build::program_of_tests("kubelet")?);
    command.arg("run").arg("--copilot").arg(copilot);
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
    Err(command.exec()).context("the program that runs pods")
}

/// Passes the options on.
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
