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
    #[error("{} is not a directory of its own: the job writes below the root", .0.display())]
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
