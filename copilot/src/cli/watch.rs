//! From flags to the request of `copilot watch`.

use std::ffi::OsString;

use super::check::sidecar_request;
use super::flags::{self, Parsed, WatchFlags};
use super::global::{given_path, global};
use super::rejection::Rejection;
use crate::command::{Command, Invocation};
use crate::monitor::MonitorRequest;

/// `copilot watch`.
pub(super) fn check(arguments: &[OsString]) -> Result<Invocation, Rejection> {
    let flags = match flags::read::<WatchFlags>(Some(Command::Watch), "copilot watch", arguments)? {
        Parsed::Answer(answer) => return Ok(answer),
        Parsed::Flags(flags) => *flags,
    };
    if flags.all && flags.sidecar.pod_cgroup.is_some() {
        return Err(Rejection::usage(
            "--all watches every pod, so --pod-cgroup has no effect: give one of them",
        ));
    }
    let sidecar = sidecar_request(&flags.sidecar, None);
    let sidecar = sidecar.map_err(|error| Rejection::usage(error.to_string()))?;
    let request = MonitorRequest {
        track: sidecar.track,
        outputs: given_path(Some(&flags.sidecar.from_local_dir)),
        all: flags.all,
        json: flags.json,
    };
    let global = global(flags.sidecar.global, &[]);
    Ok(Invocation::Watch(Box::new(global), Box::new(request)))
}
