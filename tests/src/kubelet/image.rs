//! The images of a node's containers: the product's, which `cargo xtask image` packs, and those of pause and main, as
//! archives that the container runtime can import without a registry.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::container::Image;

/// The sandbox's image.
pub const PAUSE: &str = "docker.io/copilot/pause:1";

/// The image of mains and of other containers.
pub const BOX: &str = "docker.io/copilot/box:1";

/// The image of the program under test, by the name that `cargo xtask image` gives it.
pub const COPILOT: &str = concat!("localhost/copilot:", env!("CARGO_PKG_VERSION"));

/// The sandbox's program: it adopts orphaned processes of the pod until it is stopped.
const HOLD: &str = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done";

/// Writes the archives of the images of other containers into a folder, and returns their paths.
pub fn pack_others(directory: &Path) -> Result<Vec<PathBuf>> {
    let shell = ["/bin/sh", "-c", HOLD];
    Ok(vec![
        pack(PAUSE, &shell, directory)?,
        pack(BOX, &["/bin/sh"], directory)?,
    ])
}

fn busybox(root: &Path) -> Result<()> {
    fs::copy(Image::BUSYBOX, root.join("bin/busybox"))?;
    let listed = Command::new(Image::BUSYBOX).arg("--list").output()?;
    for name in String::from_utf8(listed.stdout)?.lines() {
        if name != "busybox" {
            symlink("busybox", root.join("bin").join(name))?;
        }
    }
    Ok(())
}

/// An image of busybox under this name.
fn pack(name: &str, command: &[&str], directory: &Path) -> Result<PathBuf> {
    let work = tempfile::tempdir_in(directory)?;
    let root = work.path().join("root");
    fs::create_dir_all(root.join("bin"))?;
    busybox(&root)?;
    // Any user may read it.
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755))?;
    let layer = work.path().join("layer.tar");
    tar(&layer, &root, &["."])?;
    let config = config(command, &digest(&layer)?);
    fs::write(work.path().join("config.json"), config.to_string())?;
    let manifest = json!([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]);
    fs::write(work.path().join("manifest.json"), manifest.to_string())?;
    let plain = name.rsplit('/').next().unwrap_or(name).replace(':', "-");
    let archive = directory.join(format!("{plain}.tar"));
    tar(
        &archive,
        work.path(),
        &["manifest.json", "config.json", "layer.tar"],
    )?;
    Ok(archive)
}

fn config(command: &[&str], digest: &str) -> Value {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    };
    let created = "2026-01-01T00:00:00Z";
    json!({
        "architecture": architecture,
        "os": "linux",
        "created": created,
        "config": {"Env": ["PATH=/bin"], "Cmd": command},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
        "history": [{"created": created}],
    })
}

fn tar(archive: &Path, root: &Path, names: &[&str]) -> Result<()> {
    let mut command = Command::new("tar");
    command
        .args(["--owner=0", "--group=0", "--numeric-owner", "-C"])
        .arg(root)
        .arg("-cf")
        .arg(archive)
        .args(names);
    let status = command.status().context("tar")?;
    ensure!(
        status.success(),
        "{} cannot be packed: {status}",
        archive.display()
    );
    Ok(())
}

fn digest(file: &Path) -> Result<String> {
    let output = Command::new("sha256sum")
        .arg(file)
        .output()
        .context("sha256sum")?;
    let text = String::from_utf8(output.stdout)?;
    let digest = text.split(' ').next().filter(|digest| digest.len() == 64);
    Ok(digest.context("sha256sum says nothing")?.to_owned())
}
