//! `cargo xtask image`: an OCI image from nothing. It needs no Docker, no registry and no base image.
//!
//! [`program`] reads what kind of file a binary is, [`contents`] lists the image's files, [`layer`] packs them,
//! [`documents`] writes the JSON that describes them, [`layout`] puts all together and [`place`] on disk, [`inventory`]
//! lists the components, and [`authorities`] is the file of certificates; [`emulated`] runs a binary for another processor.
//! The same input gives the same bytes. What the binary does has no place here. Called by `main`, and by `test` and
//! `kubelet`, whose tests load the image.

mod authorities;
mod contents;
mod documents;
mod emulated;
mod inventory;
mod layer;
mod layout;
mod moment;
mod name;
mod place;
mod program;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args;

use crate::{
    architecture::Architecture,
    build,
    command::{output, target_directory, workspace},
    setup,
};
use contents::Contents;
use documents::Labels;
use inventory::Inventory;
use layout::{Layout, Packed};
use moment::Moment;
use name::{Label, Name};
use program::Program;

/// The most that the files of one architecture may take: 12 MB.
const LIMIT_BYTES: u64 = 12_000_000;

/// What to pack.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Packs this binary instead of building one; can be given once for each architecture.
    #[arg(long, value_name = "FILE")]
    binary: Vec<PathBuf>,
    /// Builds for this architecture; can be given several times [default: that of this machine, and each other whose
    /// toolchain is installed].
    #[arg(long, value_name = "NAME", conflicts_with = "binary")]
    architecture: Vec<Architecture>,
    /// The folder for the image [default: target/image].
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// The image's name, with a tag or without [default: localhost/copilot, and the version].
    #[arg(long)]
    name: Option<Name>,
    /// Adds a label to the image, such as org.opencontainers.image.source=ADDRESS; can be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    label: Vec<Label>,
    /// Also runs a few tests with each binary for another processor, emulated.
    #[arg(long)]
    check: bool,
}

/// Builds the binaries, runs those for other processors, packs all, and prints paths and sizes.
pub fn run(options: &Options) -> Result<()> {
    let paths = if options.binary.is_empty() {
        build_all(&options.architecture)?
    } else {
        options.binary.clone()
    };
    let programs = read(&paths)?;
    for (path, program) in &programs {
        try_out(options, path, program.architecture)?;
    }
    pack(options, &programs).map(|_| ())
}

/// Packs one binary for the tests, beside what a person has packed, and returns the archive.
pub fn for_tests(binary: &Path) -> Result<PathBuf> {
    let options = Options {
        binary: vec![binary.to_owned()],
        output: Some(target_directory().join("image-under-test")),
        ..Options::default()
    };
    pack(&options, &read(&options.binary)?)
}

impl Options {
    fn folder(&self) -> PathBuf {
        let folder = self.output.clone();
        folder.unwrap_or_else(|| target_directory().join("image"))
    }
}

/// Reads binaries, which must be for different processors.
fn read(paths: &[PathBuf]) -> Result<Vec<(&Path, Program)>> {
    ensure!(
        !paths.is_empty(),
        "no binary is given: name one with --binary"
    );
    let mut programs: Vec<(&Path, Program)> = Vec::new();
    for path in paths {
        let program = Program::read(path)?;
        let architecture = program.architecture;
        let mut known = programs.iter();
        ensure!(
            !known.any(|(_, known)| known.architecture == architecture),
            "{} is a second binary for {}: give one for each architecture",
            path.display(),
            architecture.name()
        );
        programs.push((path, program));
    }
    Ok(programs)
}

/// Starts a binary for another processor.
fn try_out(options: &Options, path: &Path, architecture: Architecture) -> Result<()> {
    if Some(architecture) == Architecture::of_this_machine() {
        return Ok(());
    }
    if options.check {
        emulated::check(architecture, path, &options.folder())?;
    } else if !emulated::is_possible(architecture) {
        eprintln!(
            "image: {} was not tried out: {} is missing",
            path.display(),
            architecture.emulator()
        );
        return Ok(());
    }
    emulated::start(architecture, path)
}

/// Builds for all architectures that the options name.
fn build_all(named: &[Architecture]) -> Result<Vec<PathBuf>> {
    let this = Architecture::of_this_machine();
    let mut binaries = Vec::new();
    for architecture in Architecture::ALL {
        if !named.is_empty() && !named.contains(&architecture) {
            continue;
        }
        if Some(architecture) == this {
            binaries.push(build::release(build::Options::default())?);
            continue;
        }
        if named.is_empty()
            && let Err(missing) = setup::find_cross(architecture)
        {
            eprintln!("image: without {}: {missing:#}", architecture.name());
            continue;
        }
        binaries.push(build::cross(architecture)?);
    }
    Ok(binaries)
}

/// Packs binaries into one image, and returns the archive.
fn pack(options: &Options, programs: &[(&Path, Program)]) -> Result<PathBuf> {
    let moment = Moment::of_the_input()?;
    let inventory = Inventory::read()?;
    let product = inventory.product()?;
    let version = product.version.to_string();
    let labels = Labels {
        description: product.description.clone().unwrap_or_default(),
        version: version.clone(),
        licenses: product.license.clone().unwrap_or_default(),
        created: moment.text(),
        revision: revision(options).unwrap_or_default(),
        others: options.label.clone(),
    };
    let mut layout = Layout::new(labels);
    for (path, program) in programs {
        let bill = inventory.bill(program, &moment.text())?;
        let contents = Contents::of_copilot(program, bill.clone())?;
        check_size(&contents, program)?;
        eprintln!(
            "image: {}: {}, and with the other files of the image {}",
            path.display(),
            megabytes(program.bytes.len() as u64),
            megabytes(contents.bytes())
        );
        layout.add(Packed {
            architecture: program.architecture,
            layer: layer::pack(&contents, moment)?,
            bill,
        });
    }
    let name = options.name.clone().unwrap_or_default();
    let name = name.with_tag(&version);
    let archive = layout.write(&options.folder(), &name)?;
    layout.report();
    eprintln!("image: {}", name.0);
    println!("{}", archive.display());
    Ok(archive)
}

fn check_size(contents: &Contents, program: &Program) -> Result<()> {
    let bytes = contents.bytes();
    ensure!(
        bytes <= LIMIT_BYTES,
        "the image for {} would have {}; the limit is {}: pack an optimised binary (cargo xtask build), or find out what \
         has grown",
        program.architecture.name(),
        megabytes(bytes),
        megabytes(LIMIT_BYTES)
    );
    Ok(())
}

/// The commit that is checked out, marked if files differ from it. Nothing outside of a repository, and for a binary
/// that was given: it may be of another commit.
fn revision(options: &Options) -> Option<String> {
    if !options.binary.is_empty() {
        return None;
    }
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.current_dir(workspace()).args(words);
        output(&mut command).ok()
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let mark = if changed.is_empty() { "" } else { "-dirty" };
    Some(format!("{}{mark}", commit.trim()))
}

/// A size in units of 1,000,000 bytes, with two digits after the point.
fn megabytes(bytes: u64) -> String {
    let hundredths = (bytes + 5_000) / 10_000;
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_rounded_to_two_digits() {
        assert_eq!(megabytes(0), "0.00 MB");
        assert_eq!(megabytes(10_494_999), "10.49 MB");
        assert_eq!(megabytes(10_495_000), "10.50 MB");
    }
}
