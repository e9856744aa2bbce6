//! System packages: found by the program or file that they contain, or installed with apt.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use super::say;
use crate::{
    architecture::Architecture,
    command::{execute, succeeds},
};

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

const CONTAINERD: Package = Package {
    name: "containerd",
    files: &["/usr/bin/containerd", "/usr/local/bin/containerd"],
    why: "is the container runtime of nodes, and loads the image",
};

const TEST: &[Package] = &[
    RUNC,
    BUSYBOX,
    CONTAINERD,
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

const KUBELET: &[Package] = &[CONTAINERD, RUNC, BUSYBOX];

const EMULATOR: Package = Package {
    name: "qemu-user-static",
    files: &["/usr/bin/qemu-aarch64-static"],
    why: "runs programs of other processors",
};

/// What builds C for another processor, and runs its programs.
const CROSS_ARM64: &[Package] = &[
    Package {
        name: "gcc-aarch64-linux-gnu",
        files: &["/usr/bin/aarch64-linux-gnu-gcc"],
        why: "compiles C and links for arm64",
    },
    Package {
        name: "libc6-dev-arm64-cross",
        files: &["/usr/aarch64-linux-gnu/lib/libc.a"],
        why: "is the C library of arm64",
    },
    EMULATOR,
];

const CROSS_AMD64: &[Package] = &[
    Package {
        name: "gcc-x86-64-linux-gnu",
        files: &["/usr/bin/x86_64-linux-gnu-gcc"],
        why: "compiles C and links for amd64",
    },
    Package {
        name: "libc6-dev-amd64-cross",
        files: &["/usr/x86_64-linux-gnu/lib/libc.a"],
        why: "is the C library of amd64",
    },
    EMULATOR,
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

/// What C for another processor needs.
pub fn for_cross(architecture: Architecture) -> Result<()> {
    ensure(cross(architecture))
}

/// The names of those packages that are missing.
pub fn missing_for_cross(architecture: Architecture) -> Vec<&'static str> {
    let missing = missing(cross(architecture));
    missing.iter().map(|package| package.name).collect()
}

fn cross(architecture: Architecture) -> &'static [Package] {
    match architecture {
        Architecture::Amd64 => CROSS_AMD64,
        Architecture::Arm64 => CROSS_ARM64,
    }
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

fn missing(packages: &'static [Package]) -> Vec<&'static Package> {
    let packages = packages.iter();
    packages
        .filter(|package| !package.files.iter().any(|file| Path::new(file).exists()))
        .collect()
}

fn ensure(packages: &'static [Package]) -> Result<()> {
    let missing = missing(packages);
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
