//! Kubernetes' own programs and containerd 2, built from the Go module registry.
//!
//! A Kubernetes release is one module that replaces its staging modules by folders of its repository.
//! Go refuses that when the module is not the main one. So we write a `go.mod` of our own that pins each
//! staging module to the version of the same release.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

use super::patch;
use crate::{
    command::{execute, output},
    setup,
};

/// The release is `v1.` followed by this. Later releases of 1.33 have staging modules that the
/// checksum database does not know.
const RELEASE: &str = "33.4";

/// Lets Go add to `go.mod` what Kubernetes requires.
const FLAGS: &str = "-mod=mod -buildvcs=false";

/// Builds one of Kubernetes' programs if it is missing, and returns its path.
pub fn kubernetes(program: &str, directory: &Path) -> Result<PathBuf> {
    let version = format!("v1.{RELEASE}");
    let stamp = format!("{program} {version} {}", patch::TEXT);
    build(program, directory, &stamp, |binary| {
        let module = directory.join("kubernetes");
        kubernetes_module(&module, &version)?;
        let package = "k8s.io/component-base/version";
        let flags = format!(
            "-s -w -X {package}.gitVersion={version} -X {package}.gitMajor=1 -X {package}.gitMinor=33"
        );
        execute(
            go(&module)
                .args(["build", "-ldflags", &flags, "-o"])
                .arg(binary)
                .arg(format!("k8s.io/kubernetes/cmd/{program}")),
        )
    })
}

/// The second release of containerd; Debian's is 1.6.
const CONTAINERD: &str = "v2.1.4";

/// The programs of containerd that the nodes need.
const CONTAINERD_PROGRAMS: [&str; 3] = ["containerd", "containerd-shim-runc-v2", "ctr"];

/// Builds containerd 2 if it is missing, and returns the folder of its programs.
pub fn containerd(directory: &Path) -> Result<PathBuf> {
    let directory = directory.join("containerd-2");
    for program in CONTAINERD_PROGRAMS {
        build(program, &directory, CONTAINERD, |binary| {
            let module = directory.join("module");
            fs::create_dir_all(&module)?;
            let name = "github.com/containerd/containerd/v2";
            let text = format!(
                "module copilot-tests/containerd\n\ngo 1.24.0\n\nrequire {name} {CONTAINERD}\n"
            );
            fs::write(module.join("go.mod"), text)?;
            let version = format!("-s -w -X {name}/version.Version={CONTAINERD}");
            execute(
                go(&module)
                    .args(["build", "-ldflags", &version, "-o"])
                    .arg(binary)
                    .arg(format!("{name}/cmd/{program}")),
            )
        })?;
    }
    Ok(directory.join("bin"))
}

/// Builds a program, unless the one that was built last has the same stamp.
fn build(
    program: &str,
    directory: &Path,
    stamp: &str,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let binary = directory.join("bin").join(program);
    let stamped = directory.join("bin").join(format!("{program}.stamp"));
    let known = fs::read_to_string(&stamped).is_ok_and(|found| found == stamp);
    if known && binary.is_file() {
        return Ok(binary);
    }
    if !crate::command::succeeds(Command::new(setup::go()).arg("version")) {
        bail!(
            "{program} is built with Go: install Go; `go` was not found on PATH or in /usr/local/go/bin"
        );
    }
    eprintln!("kubelet: building {program}; the first time this takes some minutes");
    fs::create_dir_all(directory.join("bin"))?;
    make(&binary).with_context(|| {
        format!(
            "{program} cannot be built; if the Go module registry cannot be reached, put a program of \
             that release at {} and a file with the line {stamp:?} at {}",
            binary.display(),
            stamped.display()
        )
    })?;
    fs::write(stamped, stamp)?;
    Ok(binary)
}

/// Writes the module that requires Kubernetes, and the patched library next to it.
fn kubernetes_module(module: &Path, version: &str) -> Result<()> {
    fs::create_dir_all(module)?;
    let source = download(module, "k8s.io/kubernetes", version)?;
    let theirs = fs::read_to_string(source.join("go.mod"))?;
    let required = required(&theirs, patch::MODULE)?;
    let original = download(module, patch::MODULE, &required)?;
    patch::copy(&original, &module.join("cgroups"))?;
    Ok(fs::write(module.join("go.mod"), go_mod(&theirs, version))?)
}

fn go_mod(theirs: &str, version: &str) -> String {
    use std::fmt::Write as _;
    let go = theirs.lines().find(|line| line.starts_with("go "));
    let mut text = format!(
        "module copilot-tests/kubernetes\n\n{}\n\ngodebug default=go1.24\n\n\
         require k8s.io/kubernetes {version}\n\nreplace (\n\t{} => ./cgroups\n",
        go.unwrap_or("go 1.24.0"),
        patch::MODULE
    );
    for line in theirs.lines() {
        if let Some((name, _)) = line.split_once(" => ./staging/") {
            let name = name.trim();
            let _ = writeln!(text, "\t{name} => {name} v0.{RELEASE}");
        }
    }
    text.push_str(")\n");
    text
}

/// The version that a `go.mod` requires of a module.
fn required(go_mod: &str, module: &str) -> Result<String> {
    let found = go_mod.lines().find_map(|line| {
        let rest = line.trim().strip_prefix(module)?;
        rest.split_whitespace().next()
    });
    let found = found.with_context(|| format!("Kubernetes does not require {module}"))?;
    Ok(found.to_owned())
}

/// Downloads a module into Go's cache, and returns its folder there.
fn download(module: &Path, name: &str, version: &str) -> Result<PathBuf> {
    // This works outside of a module, since the version is explicit.
    execute(go(module).args(["mod", "download", &format!("{name}@{version}")]))?;
    let cache = output(go(module).args(["env", "GOMODCACHE"]))?;
    let found = Path::new(cache.trim()).join(format!("{name}@{version}"));
    ensure!(found.is_dir(), "{} does not exist", found.display());
    Ok(found)
}

fn go(directory: &Path) -> Command {
    let mut command = Command::new(setup::go());
    command
        .current_dir(directory)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", FLAGS);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = "module k8s.io/kubernetes\n\ngo 1.24.0\n\nrequire (\n\
        \tgithub.com/opencontainers/cgroups v0.0.1\n)\n\nreplace (\n\
        \tk8s.io/api => ./staging/src/k8s.io/api\n\
        \tk8s.io/kubelet => ./staging/src/k8s.io/kubelet\n)\n";

    #[test]
    fn staging_modules_are_pinned_to_the_release() {
        let text = go_mod(THEIRS, "v1.33.4");
        assert!(
            text.contains("require k8s.io/kubernetes v1.33.4\n"),
            "{text}"
        );
        assert!(
            text.contains("\tk8s.io/api => k8s.io/api v0.33.4\n"),
            "{text}"
        );
        assert!(
            text.contains("\tk8s.io/kubelet => k8s.io/kubelet v0.33.4\n"),
            "{text}"
        );
        assert!(text.contains("cgroups => ./cgroups\n"), "{text}");
    }

    #[test]
    fn what_they_require_is_found() {
        assert_eq!(
            required(THEIRS, patch::MODULE).expect("it is there"),
            "v0.0.1"
        );
        assert!(required(THEIRS, "github.com/nobody/nothing").is_err());
    }
}
