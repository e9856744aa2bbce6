//! Landlock: nothing is written outside the job's own files and directories, and nothing is run.
//!
//! Reads are not restricted. Credentials lie where settings, variables and files of other programs say, and
//! are read again while we run: a file that we cannot name at the start would cost the outputs. What main
//! could have us read, `upload` opens beneath the output directory.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, AccessFs, BitFlags, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus,
};
use thiserror::Error;

use super::{Needs, Step, Writes};

/// Before this version every rename from one directory to another is refused (Linux 5.19).
const OLDEST: ABI = ABI::V2;

/// The newest version that has a right which we restrict: truncation (Linux 6.2).
const NEWEST: ABI = ABI::V3;

/// Why Landlock is not in force.
#[derive(Debug, Error)]
enum LandlockError {
    /// A look into another process is an act of ptrace for Landlock.
    #[error(
        "this watcher looks into the processes of other containers, which Landlock forbids (the watcher ebpf does not)"
    )]
    Looks,
    /// The caller cannot say where it writes.
    #[error("it is not known at the start where this job writes")]
    Unknown,
    /// Everything lies below the root.
    #[error("the job writes directly below the root directory, {}, so nothing is outside its places", .0.display())]
    Root(PathBuf),
    /// A path of the job cannot be opened.
    #[error("{}: {source}", path.display())]
    Path {
        path: PathBuf,
        #[source]
        source: landlock::PathFdError,
    },
    /// The kernel has no Landlock, or an old one.
    #[error("the kernel has no Landlock, or one of before Linux 5.19, or it is not enabled ({0})")]
    Kernel(#[from] landlock::RulesetError),
    /// The kernel has no Landlock.
    #[error("the kernel has no Landlock, or it is not enabled")]
    Absent,
    /// The kernel has no Landlock, or one of before Linux 5.19.
    #[error("the kernel has no Landlock, or one of before Linux 5.19, or it is not enabled")]
    TooOld,
}

/// The version of Landlock's interface that the kernel has, from 1 (Linux 5.13) on; `None` without Landlock.
pub(super) fn abi() -> Option<u32> {
    /// `LANDLOCK_CREATE_RULESET_VERSION` (`include/uapi/linux/landlock.h`): asks for the version only.
    const VERSION: libc::c_ulong = 1;
    // SAFETY: with this flag the kernel reads no memory of ours: it wants a null pointer and a size of 0.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0_usize,
            VERSION,
        )
    };
    u32::try_from(version).ok().filter(|version| *version > 0)
}

/// Why Landlock will not be in force once a watcher is attached; `None` if it will. Restricts nothing.
pub(super) fn obstacle(needs: &Needs) -> Option<String> {
    let found = || {
        if needs.looks {
            return Err(LandlockError::Looks);
        }
        if abi().is_none_or(|version| version < OLDEST as u32) {
            return Err(LandlockError::TooOld);
        }
        rules(needs.writes.as_ref().ok_or(LandlockError::Unknown)?).map(drop)
    };
    found().err().map(|error| error.to_string())
}

/// Restricts writes to what the job needs.
pub(super) fn restrict(needs: &Needs) -> Step {
    Step {
        name: "Landlock",
        outcome: restricted(needs).map_err(|error| error.to_string()),
    }
}

fn restricted(needs: &Needs) -> Result<String, LandlockError> {
    if needs.looks {
        return Err(LandlockError::Looks);
    }
    let writes = needs.writes.as_ref().ok_or(LandlockError::Unknown)?;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(handled(OLDEST))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(handled(NEWEST))?
        .create()?;
    let mut count = 0;
    for (path, rights) in rules(writes)? {
        let opened = PathFd::new(&path).map_err(|source| LandlockError::Path { path, source })?;
        ruleset = ruleset.add_rule(PathBeneath::new(opened, rights))?;
        count += 1;
    }
    match ruleset.restrict_self()?.ruleset {
        RulesetStatus::NotEnforced => Err(LandlockError::Absent),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(format!(
            "no program is run, and nothing is written outside {count} files and directories of this job"
        )),
    }
}

/// What is forbidden unless a rule allows it.
fn handled(abi: ABI) -> BitFlags<AccessFs> {
    AccessFs::from_write(abi) | AccessFs::Execute
}

/// The paths that exist, and what we may do there.
fn rules(writes: &Writes) -> Result<Vec<(PathBuf, BitFlags<AccessFs>)>, LandlockError> {
    let in_file = AccessFs::WriteFile | AccessFs::Truncate;
    let below = in_file
        | AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::RemoveDir
        | AccessFs::RemoveFile
        | AccessFs::MakeDir
        | AccessFs::MakeReg
        | AccessFs::MakeSym
        | AccessFs::Refer;
    let below = below & handled(NEWEST);
    let mut rules = Vec::new();
    for path in &writes.directories {
        let path = nearest(path);
        if path.parent().is_none() {
            return Err(LandlockError::Root(path));
        }
        rules.push((path, below));
    }
    let files = writes.files.iter().filter(|path| path.exists());
    rules.extend(files.map(|path| (path.clone(), in_file)));
    Ok(rules)
}

/// The directory, or the nearest one above it that exists, without links.
fn nearest(path: &Path) -> PathBuf {
    let found = path.ancestors().find_map(|path| {
        // An empty path is the working directory.
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        path.canonicalize().ok()
    });
    found.unwrap_or_else(|| PathBuf::from("/"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::process::Command;

    use super::*;

    fn needs(directories: Vec<PathBuf>, files: Vec<PathBuf>) -> Needs {
        Needs {
            writes: Some(Writes { files, directories }),
            ..Needs::default()
        }
    }

    /// A restriction cannot be taken back, so it holds for a thread of its own.
    #[test]
    fn only_the_places_of_the_job_are_written() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("in")).unwrap();
        for name in ["message", "other", "in/old"] {
            fs::write(at(name), "before").unwrap();
        }
        // The first one does not exist yet.
        let needs = needs(
            vec![at("in/new/deep"), at("in")],
            vec![at("message"), at("none")],
        );
        let root = directory.path().to_owned();
        let thread = std::thread::spawn(move || {
            let at = |name: &str| root.join(name);
            if let Err(error) = restricted(&needs) {
                println!("SKIPPED: {error}");
                return;
            }
            fs::create_dir_all(at("in/new/deep")).unwrap();
            fs::write(at("in/new/x"), "after").unwrap();
            fs::rename(at("in/new/x"), at("in/y")).unwrap();
            fs::remove_file(at("in/old")).unwrap();
            fs::write(at("message"), "after").unwrap();
            let refused = |done: std::io::Result<()>| {
                assert_eq!(done.unwrap_err().kind(), ErrorKind::PermissionDenied);
            };
            refused(fs::write(at("other"), "after"));
            refused(fs::write(at("new"), "after"));
            refused(fs::remove_file(at("message")));
            refused(fs::rename(at("other"), at("again")));
            refused(Command::new("true").spawn().map(drop));
            assert_eq!(fs::read(at("other")).unwrap(), b"before");
        });
        thread.join().unwrap();
    }

    #[test]
    fn what_is_foretold_is_what_happens() {
        let directory = tempfile::tempdir().unwrap();
        let fits = needs(vec![directory.path().to_owned()], vec![]);
        let looks = Needs {
            looks: true,
            ..fits.clone()
        };
        for needs in [fits, looks] {
            let foretold = obstacle(&needs).is_none();
            let thread = std::thread::spawn(move || restricted(&needs).is_ok());
            assert_eq!(thread.join().unwrap(), foretold);
        }
    }

    #[test]
    fn what_cannot_be_restricted_has_a_reason() {
        let looks = Needs {
            looks: true,
            ..needs(vec![], vec![])
        };
        let unknown = Needs::default();
        let root = needs(vec![PathBuf::from("/no-such-directory")], vec![]);
        for (needs, words) in [
            (looks, "looks into"),
            (unknown, "not known"),
            (root, "below the root"),
        ] {
            let reason = restricted(&needs).unwrap_err().to_string();
            assert!(reason.contains(words), "{reason}");
        }
    }
}
