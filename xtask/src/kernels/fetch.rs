//! Kernels from Debian's archive, fetched with the machine's apt and a list of sources of our own.
//! Nothing is installed, and apt's own files stay unchanged.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use super::Kernel;
use crate::command::{execute, output};

/// The package that depends on the suite's newest kernel for virtual machines.
const NEWEST: &str = "linux-image-cloud-amd64";

/// How the names of the packages begin that can contain a kernel's image. In newer releases it has
/// a package of its own.
const IMAGES: [&str; 2] = ["linux-image-", "linux-binary-"];

/// The keys that sign the archive: those of the machine, so that no others are trusted.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where the fetched image is kept.
const IMAGE: &str = "vmlinuz";

/// Returns the path of a kernel's image: of the one that was fetched before, or of the newest of its
/// suite.
pub fn image(kernel: &Kernel, directory: &Path) -> Result<PathBuf> {
    let image = directory.join(IMAGE);
    if !image.is_file() {
        fetch(kernel, directory).with_context(|| {
            format!(
                "the kernel {} cannot be fetched from Debian's suite {}; if the archive cannot be \
                 reached, put the kernel's image at {} yourself",
                kernel.version,
                kernel.suite,
                image.display()
            )
        })?;
    }
    Ok(image)
}

fn fetch(kernel: &Kernel, directory: &Path) -> Result<()> {
    let apt = Apt::prepare(kernel.suite, directory)?;
    execute(apt.get().arg("update"))?;
    let image = apt
        .depends(NEWEST)?
        .into_iter()
        .find(|name| name.starts_with(IMAGES[0]))
        .with_context(|| format!("{NEWEST} does not depend on a kernel"))?;
    let mut packages = apt.depends(&image)?;
    packages.retain(|name| IMAGES.iter().any(|begin| name.starts_with(begin)));
    packages.push(image);
    execute(
        apt.get()
            .arg("download")
            .args(&packages)
            .current_dir(directory),
    )?;
    let content = directory.join("content");
    for file in files(directory, "deb")? {
        execute(Command::new("dpkg-deb").arg("-x").arg(&file).arg(&content))?;
        fs::remove_file(file)?;
    }
    let found = find_image(&content)?
        .with_context(|| format!("no kernel found in {}", packages.join(", ")))?;
    fs::rename(found, directory.join(IMAGE))?;
    fs::remove_dir_all(content)?;
    fs::remove_dir_all(directory.join("lists"))?;
    Ok(())
}

/// apt with one suite and with folders of its own.
struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn prepare(suite: &str, directory: &Path) -> Result<Self> {
        for name in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(directory.join(name))?;
        }
        let sources = directory.join("sources.list");
        let line = format!(
            "deb [arch=amd64 signed-by={KEYRING} target=Packages] {} {suite} main\n",
            archive()?
        );
        fs::write(&sources, line)?;
        let path = |name: &str| directory.join(name).display().to_string();
        let options = [
            format!("Dir::State::lists={}", path("lists")),
            format!("Dir::Cache={}", path("cache")),
            format!("Dir::Etc::sourcelist={}", sources.display()),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            "APT::Architecture=amd64".to_owned(),
            // apt's own user may not be able to enter our directory.
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
        ];
        Ok(Self {
            options: options.to_vec(),
        })
    }

    fn get(&self) -> Command {
        self.command("apt-get")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
    }

    /// The packages that a package depends on.
    fn depends(&self, package: &str) -> Result<Vec<String>> {
        let text = output(
            self.command("apt-cache")
                .args(["depends", "--important", package]),
        )?;
        let names = text.lines().filter_map(|line| {
            let name = line.trim().strip_prefix("Depends: ")?;
            Some(name.to_owned())
        });
        Ok(names.collect())
    }
}

/// The archive that the machine's apt uses.
fn archive() -> Result<String> {
    let format = ["--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"];
    let text = output(Command::new("apt-get").arg("indextargets").args(format)).context(
        "apt-get was not found: on a system that is not based on Debian, put the kernels there yourself",
    )?;
    let found = text.lines().find_map(|line| line.strip_prefix("Debian "));
    match found {
        Some(archive) => Ok(archive.to_owned()),
        None => bail!(
            "apt does not know a Debian archive on this machine; `apt-get update` may change that"
        ),
    }
}

fn files(directory: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Finds `boot/vmlinuz-<release>`, or in newer packages the image next to the modules.
fn find_image(directory: &Path) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_file() && name.starts_with("vmlinuz") {
            return Ok(Some(path));
        }
        if path.is_dir()
            && !path.is_symlink()
            && let Some(found) = find_image(&path)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
