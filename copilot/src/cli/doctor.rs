//! From flags to the request of `copilot doctor`, and from the words of a manifest to what a container does.

use std::ffi::OsString;

use super::check::{sidecar_request, take_interface};
use super::flags::{self, DoctorFlags, Parsed};
use super::global::{given, given_path, global};
use super::rejection::Rejection;
use crate::command::{Command, Invocation};
use crate::doctor::{ContainerJob, DoctorRequest, RefusedArguments};

/// `copilot doctor`. What the sidecar would refuse is wrong usage here as well.
pub(super) fn check(arguments: &[OsString]) -> Result<Invocation, Rejection> {
    let mut flags =
        match flags::read::<DoctorFlags>(Some(Command::Doctor), "copilot doctor", arguments)? {
            Parsed::Answer(answer) => return Ok(answer),
            Parsed::Flags(flags) => *flags,
        };
    let interface = take_interface(&mut flags.sidecar)?;
    let sidecar = sidecar_request(&flags.sidecar, interface);
    let sidecar = sidecar.map_err(|error| Rejection::usage(error.to_string()))?;
    let request = DoctorRequest {
        sidecar,
        from_local_dir: given_path(Some(&flags.sidecar.from_local_dir)),
        to_local_dir: given_path(Some(&flags.to_local_dir)),
        expect_size: flags.expect_size,
        from_remote: given(&flags.from_remote),
        to_output_prefix: given(&flags.sidecar.to_output_prefix),
        to_raw_output: given(&flags.sidecar.to_raw_output),
        to: given(&flags.sidecar.to),
        probe: flags.probe,
        json: flags.json,
        pod: given_path(flags.pod.as_deref()),
        read_arguments: container_job,
    };
    let global = global(flags.sidecar.global, &[]);
    Ok(Invocation::Doctor(Box::new(global), Box::new(request)))
}

/// What a container does whose command line is this. The settings of this machine are not its own.
fn container_job(words: Vec<OsString>) -> Result<ContainerJob, RefusedArguments> {
    match super::parse(words) {
        Ok(Invocation::Sidecar(_, request)) => Ok(ContainerJob::Sidecar(request)),
        Ok(Invocation::Download(_, request)) => Ok(ContainerJob::Download(request)),
        Ok(Invocation::DownloadTree(_, request)) => Ok(ContainerJob::DownloadTree(request)),
        Ok(_) => Ok(ContainerJob::Other),
        Err(rejection) => Err(RefusedArguments(rejection.to_string())),
    }
}
