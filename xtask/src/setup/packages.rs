//! System packages: found by the program or file that they contain, or installed with apt.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use super::say;
use crate::command::{execute, succeeds};

/// A package, and how to see that it is installed.
#[derive(Clone, Copy)]
struct Package {
    name: &'static str,
    /// The package is installed if one of these files exists.
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
    why: "is pause and main in the tests' containers, which contain nothing else",
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
        why: "prints the kernel's structures, which the tests compare with",
    },
    Package {
        name: "python3",
        files: &["/usr/bin/python3"],
        why: "is the main container in the demo and in tests, and reads the files that Copilot wrote",
    },
    Package {
        name: "r-base-core",
        files: &["/usr/bin/Rscript"],
        why: "runs the R example of the container contract",
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
        why: "is the container runtime of the nodes",
    },
    RUNC,
    BUSYBOX,
];

const CLUSTER: &[Package] = &[Package {
    name: "etcd-server",
    files: &["/usr/bin/etcd", "/usr/local/bin/etcd"],
    why: "stores the data of the API server",
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
            "apt-get was not found, so this system is not based on Debian; install the equivalents of these \
             Debian packages: {}",
            names.join(", ")
        );
    }
    if !succeeds(Command::new("test").args(["-w", "/var/lib/dpkg"])) {
        bail!(
            "packages are missing, and only root can install them; {}",
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
