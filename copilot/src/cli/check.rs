//! From flags to requests: the checks on values, in the reference's order (spec §1.2, §1.3). A refusal
//! that the reference reports to the platform carries what an error document needs; any other refusal is
//! wrong usage.

use super::choice::{self, choose};
use super::error::{self, FlagError, NamedFlag};
use super::flags::{self, CommonFlags, DownloadFlags, Parsed, SidecarFlags};
use super::global::{check, given, given_path, global};
use super::kubernetes;
use super::rejection::Rejection;
use super::tree;
use super::value;
use super::watchers;
use crate::command::{Command, Invocation};
use crate::download::DownloadRequest;
use crate::literal::output::OutputOptions;
use crate::sidecar::{MainFailure, OutputsTarget, SidecarRequest, UploadTarget};
use crate::track::source::kube::ApiOptions;
use crate::track::{Polling, TrackOptions, Watcher};
use crate::upload::UploadMode;
use std::ffi::OsString;

/// The reference's default deadline, in nanoseconds: an hour.
const UPLOAD_TIMEOUT: i64 = 3_600_000_000_000;

/// A command line without a command asks for help or the version; else it is wrong usage.
pub(super) fn none(arguments: &[OsString]) -> Result<Invocation, Rejection> {
    match flags::read::<CommonFlags>(None, "copilot", arguments)? {
        Parsed::Answer(answer) => Ok(answer),
        Parsed::Flags(_) => {
            let names = Command::ALL.map(Command::name).join(", ");
            Err(Rejection::usage(format!(
                "no command given: use one of {names}; copilot --help explains them"
            )))
        }
    }
}

/// `copilot ready`.
pub(super) fn ready(arguments: &[OsString]) -> Result<Invocation, Rejection> {
    match flags::read::<CommonFlags>(Some(Command::Ready), "copilot ready", arguments)? {
        Parsed::Answer(answer) => Ok(answer),
        Parsed::Flags(flags) => {
            check(&flags.global).map_err(|error| Rejection::usage(error.to_string()))?;
            let global = global(flags.global, &[]);
            Ok(Invocation::Ready(Box::new(global)))
        }
    }
}

/// `copilot download`.
pub(super) fn download(arguments: &[OsString]) -> Result<Invocation, Rejection> {
    let flags =
        match flags::read::<DownloadFlags>(Some(Command::Download), "copilot download", arguments)?
        {
            Parsed::Answer(answer) => return Ok(answer),
            Parsed::Flags(flags) => *flags,
        };
    if !flags.from.is_empty() {
        return tree_download(flags);
    }
    let missing = missing_for_download(&flags);
    if flags.to_output_prefix.is_empty() {
        let without_flyte = if flags.from_remote.is_empty() {
            "; without Flyte, give --from (a prefix of files) in place of --from-remote and --to-output-prefix"
        } else {
            ""
        };
        let missing = error::missing(&missing);
        return Err(Rejection::usage(format!("{missing}{without_flyte}")));
    }
    let request = download_request(&flags, missing);
    let global = global(flags.global, &[]);
    match request {
        Ok(request) => Ok(Invocation::Download(Box::new(global), Box::new(request))),
        Err(error) => {
            let prefix = flags.to_output_prefix;
            Err(Rejection::reported(
                error,
                Command::Download,
                global,
                prefix,
            ))
        }
    }
}

/// `copilot download --from`.
fn tree_download(flags: DownloadFlags) -> Result<Invocation, Rejection> {
    let request = tree::download(&flags);
    let global = global(flags.global, &[]);
    match request {
        Ok(Some(request)) => Ok(Invocation::DownloadTree(
            Box::new(global),
            Box::new(request),
        )),
        Ok(None) => Err(Rejection::usage("--from is empty")),
        // Where Flyte passes `--to-output-prefix` as well, it must learn of it.
        Err(error) => {
            let prefix = flags.to_output_prefix;
            Err(Rejection::reported(
                error,
                Command::Download,
                global,
                prefix,
            ))
        }
    }
}

/// The required flags of a download that are missing, all of them: nobody likes to hear of one at a time.
fn missing_for_download(flags: &DownloadFlags) -> Vec<NamedFlag> {
    let required = [
        (
            flags.to_output_prefix.is_empty(),
            "--to-output-prefix",
            "the prefix for an error document",
        ),
        (
            flags.to_local_dir.as_os_str().is_empty(),
            "--to-local-dir",
            "the directory for the inputs",
        ),
        (
            flags.from_remote.is_empty(),
            "--from-remote",
            "the reference of the inputs",
        ),
    ];
    only_missing(&required)
}

/// The required flags of a sidecar with an interface that are missing.
fn missing_for_sidecar(flags: &SidecarFlags) -> Vec<NamedFlag> {
    let required = [
        (
            flags.to_output_prefix.is_empty(),
            "--to-output-prefix",
            "with --interface, the prefix for outputs.pb",
        ),
        (
            flags.from_local_dir.as_os_str().is_empty(),
            "--from-local-dir",
            "the directory in which main leaves its outputs",
        ),
    ];
    only_missing(&required)
}

pub(super) fn only_missing(required: &[(bool, &'static str, &'static str)]) -> Vec<NamedFlag> {
    let missing = required.iter().filter(|(is_missing, ..)| *is_missing);
    missing
        .map(|(_, flag, meaning)| NamedFlag { flag, meaning })
        .collect()
}

fn download_request(
    flags: &DownloadFlags,
    missing: Vec<NamedFlag>,
) -> Result<DownloadRequest, FlagError> {
    if !missing.is_empty() {
        return Err(FlagError::Required(missing));
    }
    check(&flags.global)?;
    let layout = match flags.file_input_layout.as_str() {
        // The reference reads an empty layout as its default.
        "" => "DIRECT",
        layout => layout,
    };
    Ok(DownloadRequest {
        from_remote: flags.from_remote.clone(),
        to_output_prefix: flags.to_output_prefix.clone(),
        err_output_name: given(&flags.global.err_output_name),
        to_local_dir: flags.to_local_dir.clone(),
        format: choose("--format", &flags.format, choice::FORMATS)?,
        mode: choose(
            "--download-mode",
            &flags.download_mode,
            choice::DOWNLOAD_MODES,
        )?,
        layout: choose("--file-input-layout", layout, choice::LAYOUTS)?,
        binary_inputs: choose(
            "--binary-inputs",
            &flags.binary_inputs,
            choice::BINARY_INPUTS,
        )?,
        input_interface: flags
            .input_interface
            .clone()
            .filter(|bytes| !bytes.is_empty()),
        volume_size_limit: flags.volume_size_limit,
        timeout: value::deadline(flags.timeout),
        timeline: given_path(flags.timeline.as_deref()),
    })
}

/// `copilot sidecar`.
pub(super) fn sidecar(arguments: &[OsString]) -> Result<Invocation, Rejection> {
    let mut flags =
        match flags::read::<SidecarFlags>(Some(Command::Sidecar), "copilot sidecar", arguments)? {
            Parsed::Answer(answer) => return Ok(answer),
            Parsed::Flags(flags) => *flags,
        };
    let interface = take_interface(&mut flags)?;
    let request = sidecar_request(&flags, interface);
    let overridden = flags.watcher.is_some();
    let asks_api = request
        .as_ref()
        .is_ok_and(|request| request.track.watchers.contains(&Watcher::KubeApi));
    if asks_api {
        flags.global.kubernetes.names.clear();
    }
    let global = global(
        flags.global,
        &[
            ("--format", flags.format.is_some()),
            ("--pod-name", flags.pod_name.is_some() && !asks_api),
            (
                "--start-timeout",
                flags.timeout.is_some() && flags.start_timeout.is_some(),
            ),
            (
                "--start-watcher-type",
                overridden && flags.start_watcher_type.is_some(),
            ),
            (
                "--exit-watcher-type",
                overridden && flags.exit_watcher_type.is_some(),
            ),
        ],
    );
    match request {
        Ok(request) => Ok(Invocation::Sidecar(Box::new(global), Box::new(request))),
        Err(error) => {
            let prefix = flags.to_output_prefix;
            Err(Rejection::reported(error, Command::Sidecar, global, prefix))
        }
    }
}

/// The interface, if it declares something. An empty one declares nothing, like a missing one.
pub(super) fn take_interface(flags: &mut SidecarFlags) -> Result<Option<Vec<u8>>, Rejection> {
    let interface = flags.interface.take().filter(|bytes| !bytes.is_empty());
    // Beside `--to` an interface is refused as such.
    if interface.is_some() && flags.to_output_prefix.is_empty() && flags.to.is_empty() {
        return Err(Rejection::usage(error::missing(&missing_for_sidecar(
            flags,
        ))));
    }
    Ok(interface)
}

pub(super) fn sidecar_request(
    flags: &SidecarFlags,
    interface: Option<Vec<u8>>,
) -> Result<SidecarRequest, FlagError> {
    check(&flags.global)?;
    if let Some(format) = &flags.format {
        choose("--format", format, choice::FORMATS)?;
    }
    let mode = choose("--upload-mode", &flags.upload_mode, choice::UPLOAD_MODES)?;
    let (watchers, until) = watchers::from_flags(flags)?;
    let on_main_failure = choose(
        "--on-main-failure",
        &flags.on_main_failure,
        choice::MAIN_FAILURES,
    )?;
    if (mode, on_main_failure) == (UploadMode::Never, MainFailure::Salvage) {
        return Err(FlagError::SalvageWithoutUpload);
    }
    let blob_names = choose("--blob-names", &flags.blob_names, choice::BLOB_NAMES)?;
    let structs = choose(
        "--struct-outputs",
        &flags.struct_outputs,
        choice::STRUCT_OUTPUTS,
    )?;
    let api = if watchers.contains(&Watcher::KubeApi) {
        kubernetes::options(&flags.global.kubernetes, flags.pod_name.as_deref())?
    } else {
        ApiOptions::default()
    };
    let upload = match tree::target(flags)? {
        Some(target) => Some(UploadTarget::Tree(target)),
        None => interface
            .map(|interface| outputs(flags, interface).map(UploadTarget::Outputs))
            .transpose()?,
    };
    let timeout = flags
        .timeout
        .or(flags.start_timeout)
        .unwrap_or(UPLOAD_TIMEOUT);
    Ok(SidecarRequest {
        upload,
        mode,
        timeout: value::deadline(timeout),
        on_main_failure,
        outputs: OutputOptions {
            max_simple_size: flags.max_simple_size,
            blob_names,
            structs,
        },
        track: TrackOptions {
            watchers,
            until,
            polling: polling(flags)?,
            main_container: given(&flags.main_container),
            ignore_containers: flags.ignore_container.clone(),
            pod_cgroup: given_path(flags.pod_cgroup.as_deref()),
            proc_root: given_path(flags.proc_root.as_deref()),
            api,
            main_start_timeout: Some(flags.main_start_timeout).filter(|bound| !bound.is_zero()),
            term_wait: flags.term_wait,
            settle: flags.settle,
        },
        timeline: given_path(flags.timeline.as_deref()),
    })
}

fn outputs(flags: &SidecarFlags, interface: Vec<u8>) -> Result<OutputsTarget, FlagError> {
    let missing = missing_for_sidecar(flags);
    if !missing.is_empty() {
        return Err(FlagError::Required(missing));
    }
    Ok(OutputsTarget {
        interface,
        from_local_dir: flags.from_local_dir.clone(),
        to_output_prefix: flags.to_output_prefix.clone(),
        to_raw_output: given(&flags.to_raw_output),
        meta_output_name: given(&flags.meta_output_name).unwrap_or_else(|| "outputs.pb".to_owned()),
        err_output_name: given(&flags.global.err_output_name),
    })
}

fn polling(flags: &SidecarFlags) -> Result<Polling, FlagError> {
    let polling = Polling {
        fast: flags.poll_fast,
        slow: flags.poll_slow,
    };
    if polling.fast.is_zero() || polling.slow.is_zero() {
        return Err(FlagError::NoPause);
    }
    Ok(polling)
}
