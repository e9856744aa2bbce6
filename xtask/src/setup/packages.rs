//! Packages of the system: found by the program or file that they bring, else installed with apt.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use super::say;
use crate::command::{execute, succeeds};

/// A package and how to see that it is there.
#[derive(Clone, Copy)]
struct Package {
    name: &'static str,
    /// Any of these files.
    files: &'static [&'static str],
    why: &'static str,
}

const BUILD: &[Package] = &[Package {
    name: "libc6-dev",
    files: &[
        "/usr/lib/x86_64-linux-gnu/libc.a",
        "/usr/lib/aarch64-linux-gnu/libc.a",
        "/usr/lib64/libc.a",
        "/usr/lib/libc.a",
    ],
    why: "links the binary statically",
}];

const BUSYBOX: Package = Package {
    name: "busybox-static",
    // Its program has the same name as that of a package that is not static.
    files: &["/var/lib/dpkg/info/busybox-static.list"],
    why: "plays pause and main in roots that hold nothing else",
};

const RUNC: Package = Package {
    name: "runc",
    files: &["/usr/sbin/runc", "/usr/bin/runc"],
    why: "runs the containers of the tests",
};

const TEST: &[Package] = &[
    RUNC,
    BUSYBOX,
    Package {
        name: "bpftool",
        files: &["/usr/sbin/bpftool", "/usr/bin/bpftool"],
        why: "tells the kernel's structures, to compare with",
    },
    Package {
        name: "python3",
        files: &["/usr/bin/python3"],
        why: "plays the main container in the demo and in tests, and reads what we wrote",
    },
    Package {
        name: "r-base-core",
        files: &["/usr/bin/Rscript"],
        why: "runs the example in R of the container's contract",
    },
];

const KERNELS: &[Package] = &[
    Package {
        name: "qemu-system-x86",
        files: &["/usr/bin/qemu-system-x86_64"],
        why: "emulates the machines that boot other kernels",
    },
    BUSYBOX,
];

const KUBELET: &[Package] = &[
    Package {
        name: "containerd",
        files: &["/usr/bin/containerd", "/usr/local/bin/containerd"],
        why: "is the container runtime of a node",
    },
    RUNC,
    BUSYBOX,
];

const CLUSTER: &[Package] = &[Package {
    name: "etcd-server",
    files: &["/usr/bin/etcd", "/usr/local/bin/etcd"],
    why: "keeps what the API server knows",
}];

/// What a build needs.
pub fn for_building() -> Result<()> {
    ensure(BUILD)
}

/// What the tests need.
pub fn for_testing() -> Result<()> {
    ensure(TEST)
}

/// What booting other kernels needs.
pub fn for_kernels() -> Result<()> {
    ensure(KERNELS)
}

/// What nodes of a real kubelet need.
pub fn for_kubelet() -> Result<()> {
    ensure(KUBELET)
}

/// What a control plane needs.
pub fn for_cluster() -> Result<()> {
    ensure(CLUSTER)
}

/// Installs packages with apt.
pub fn install(names: &[&str]) -> Result<()> {
    let advice = || {
        format!(
            "as root: apt-get install --no-install-recommends {}",
            names.join(" ")
        )
    };
    if !succeeds(Command::new("apt-get").arg("--version")) {
        bail!(
            "this is no Debian-like system; install by its own means what Debian's packages {} hold",
            names.join(", ")
        );
    }
    if !succeeds(Command::new("test").args(["-w", "/var/lib/dpkg"])) {
        bail!(
            "packages are missing and we may not install any; {}",
            advice()
        );
    }
    execute(apt().arg("update"))?;
    execute(
        apt()
            .args(["install", "-y", "--no-install-recommends"])
            .args(names),
    )
    .with_context(advice)
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn ensure(packages: &[Package]) -> Result<()> {
    let missing: Vec<&Package> = packages
        .iter()
        .filter(|package| !package.files.iter().any(|file| Path::new(file).exists()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    for package in &missing {
        say(
            "packages",
            &format!("{} is missing: it {}", package.name, package.why),
        );
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    install(&names)
}
