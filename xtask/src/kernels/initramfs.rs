//! What the machine holds: our two programs, a few of this machine's, and the libraries they load.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufWriter, Cursor, Read, Seek},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use cpio::NewcBuilder;

use crate::command::{execute, output};

/// Programs of this machine, all within `/bin` of the other: a shell and its commands, and what
/// gives a process its rights, limits and namespaces.
const PROGRAMS: &[&str] = &["/bin/busybox", "/usr/bin/setpriv", "/usr/bin/unshare"];

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;

/// Packs an initramfs whose first process is `/bin/guest`.
pub fn pack(copilot: &Path, guest: &Path, directory: &Path) -> Result<PathBuf> {
    let copilot = strip(copilot, &directory.join("copilot"))?;
    let guest = strip(guest, &directory.join("guest"))?;
    let mut files = BTreeMap::new();
    for program in PROGRAMS.iter().map(PathBuf::from).chain([copilot, guest]) {
        let name = program.file_name().context("a program has a name")?;
        for library in libraries(&program)? {
            files.insert(library.clone(), library);
        }
        files.insert(Path::new("/bin").join(name), program);
    }
    files.insert("/bin/sh".into(), "/bin/busybox".into());
    let packed = directory.join("initramfs");
    let output = BufWriter::new(File::create(&packed)?);
    let directories = directories(files.keys()).into_iter().map(|directory| {
        let empty: Box<dyn Content> = Box::new(Cursor::new([]));
        Ok((entry(&directory, DIRECTORY), empty))
    });
    let files = files.iter().map(|(name, file)| {
        let opened = File::open(file).with_context(|| file.display().to_string())?;
        let content: Box<dyn Content> = Box::new(opened);
        Ok((entry(name, PROGRAM), content))
    });
    let entries: Vec<_> = directories.chain(files).collect::<Result<_>>()?;
    cpio::write_cpio(entries.into_iter(), output)?;
    Ok(packed)
}

trait Content: Read + Seek {}
impl<T: Read + Seek> Content for T {}

fn entry(path: &Path, mode: u32) -> NewcBuilder {
    let name = path.display().to_string();
    NewcBuilder::new(name.trim_start_matches('/')).mode(mode)
}

/// All directories on the way, the nearest to the root first.
fn directories<'a>(files: impl Iterator<Item = &'a PathBuf>) -> BTreeSet<PathBuf> {
    let ways = files.flat_map(|file| file.ancestors().skip(1));
    ways.filter(|directory| directory.parent().is_some())
        .map(Path::to_owned)
        .collect()
}

/// Names of functions are of no use there, and take most of the room.
fn strip(program: &Path, to: &Path) -> Result<PathBuf> {
    execute(Command::new("strip").arg("-o").arg(to).arg(program))?;
    Ok(to.to_owned())
}

/// The libraries that a program loads, its loader included.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let is_dynamic = fs::read(program)?
        .windows(DYNAMIC.len())
        .any(|bytes| bytes == DYNAMIC);
    if !is_dynamic {
        return Ok(Vec::new());
    }
    // `name => /path (address)`, or for the loader `/path (address)`.
    let text = output(Command::new("ldd").arg(program))?;
    let paths = text.lines().filter_map(|line| {
        let word = line.split_whitespace().find(|word| word.starts_with('/'))?;
        Some(PathBuf::from(word))
    });
    Ok(paths.collect())
}

/// How the path of the loader begins in every program that needs one.
const DYNAMIC: &[u8] = b"/lib64/ld-linux";
