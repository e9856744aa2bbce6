//! The flags of a run without Flyte: `--from` and `--to`, and which flags have no meaning beside them.

use super::check::only_missing;
use super::choice::{self, choose};
use super::error::{FlagError, NamedFlag};
use super::flags::{DownloadFlags, SidecarFlags};
use super::global::{check, given_path};
use super::value;
use crate::command::ReportedExit;
use crate::download::tree::TreeDownloadRequest;
use crate::sidecar::{MainFailure, TreeTarget};
use crate::upload::UploadMode;

/// Flags of `download` that only Flyte needs, and what they are for.
const OF_DOWNLOAD: [(&str, &str); 8] = [
    ("--from-remote", "the inputs of a task of Flyte"),
    (
        "--to-output-prefix",
        "where Flyte looks for an error document",
    ),
    ("--err-output-name", "the name of Flyte's error document"),
    ("--format", "the metadata file beside inputs.pb"),
    (
        "--download-mode",
        "all files are fetched before main starts",
    ),
    (
        "--file-input-layout",
        "files keep the names that they have below the prefix",
    ),
    ("--binary-inputs", "how values of inputs.pb are written"),
    ("--input-interface", "the types of inputs.pb"),
];

/// Flags of `sidecar` that only Flyte needs, and what they are for.
const OF_SIDECAR: [(&str, &str); 11] = [
    (
        "--interface",
        "the declared outputs of a task of Flyte; all files go up",
    ),
    ("--to-output-prefix", "where Flyte looks for outputs.pb"),
    ("--to-raw-output", "where Flyte's data goes"),
    ("--meta-output-name", "the name of outputs.pb"),
    ("--err-output-name", "the name of Flyte's error document"),
    ("--max-simple-size", "the size of a value in outputs.pb"),
    ("--blob-names", "files keep their names"),
    ("--struct-outputs", "the form of structs in outputs.pb"),
    ("--format", "a flag of the reference without effect"),
    (
        "--start-watcher-type",
        "a flag of the reference: use --watcher",
    ),
    (
        "--exit-watcher-type",
        "a flag of the reference: use --watcher",
    ),
];

/// The request of a download without Flyte; `None` without `--from`.
pub(super) fn download(flags: &DownloadFlags) -> Result<Option<TreeDownloadRequest>, FlagError> {
    if flags.from.is_empty() {
        return Ok(None);
    }
    check(&flags.global)?;
    let mut refused = given(&OF_DOWNLOAD, |name| flags.given.has(name));
    let exit = choose(
        "--exit-code",
        &flags.global.exit_code,
        choice::REPORTED_EXITS,
    )?;
    for (is_given, flag) in [
        (exit == ReportedExit::Zero, "--exit-code 0"),
        (flags.global.exit_zero_on_error, "--exit-zero-on-error"),
    ] {
        if is_given {
            let meaning = "main would start without its files";
            refused.push(NamedFlag { flag, meaning });
        }
    }
    refuse("--from", refused)?;
    let missing = only_missing(&[(
        flags.to_local_dir.as_os_str().is_empty(),
        "--to-local-dir",
        "the directory for the files",
    )]);
    if !missing.is_empty() {
        return Err(FlagError::Required(missing));
    }
    Ok(Some(TreeDownloadRequest {
        from: flags.from.clone(),
        to_local_dir: flags.to_local_dir.clone(),
        volume_size_limit: flags.volume_size_limit,
        timeout: value::deadline(flags.timeout),
        timeline: given_path(flags.timeline.as_deref()),
    }))
}

/// What a sidecar without Flyte uploads; `None` without `--to`.
pub(super) fn target(flags: &SidecarFlags) -> Result<Option<TreeTarget>, FlagError> {
    if flags.to.is_empty() {
        return Ok(None);
    }
    let mut refused = given(&OF_SIDECAR, |name| flags.given.has(name));
    let mode = choose("--upload-mode", &flags.upload_mode, choice::UPLOAD_MODES)?;
    if mode != UploadMode::OnExit {
        refused.push(NamedFlag {
            flag: "--upload-mode",
            meaning: "files go up after a good end of main",
        });
    }
    let on_failure = choose(
        "--on-main-failure",
        &flags.on_main_failure,
        choice::MAIN_FAILURES,
    )?;
    if on_failure != MainFailure::Report {
        refused.push(NamedFlag {
            flag: "--on-main-failure",
            meaning: "nothing goes up after a bad end of main",
        });
    }
    refuse("--to", refused)?;
    let missing = only_missing(&[(
        flags.from_local_dir.as_os_str().is_empty(),
        "--from-local-dir",
        "the directory in which main leaves its files",
    )]);
    if !missing.is_empty() {
        return Err(FlagError::Required(missing));
    }
    Ok(Some(TreeTarget {
        from_local_dir: flags.from_local_dir.clone(),
        to: flags.to.clone(),
    }))
}

fn given(
    of_flyte: &[(&'static str, &'static str)],
    is_given: impl Fn(&str) -> bool,
) -> Vec<NamedFlag> {
    let given = of_flyte
        .iter()
        .filter(|(flag, _)| is_given(flag.trim_start_matches('-')));
    given
        .map(|(flag, meaning)| NamedFlag { flag, meaning })
        .collect()
}

fn refuse(by: &'static str, flags: Vec<NamedFlag>) -> Result<(), FlagError> {
    if flags.is_empty() {
        return Ok(());
    }
    Err(FlagError::OfFlyte { by, flags })
}
