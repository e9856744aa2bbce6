//! What the kernel's refusals mean: missing rights, too little locked memory, or programs that its
//! verifier does not accept.

use std::io::{Error, ErrorKind};

use aya::{maps::MapError, programs::ProgramError};
use rustix::thread::CapabilitySet;
use tracing::debug;

use super::{EbpfError, locked};

/// What BPF for tracing needs.
pub const RIGHTS: CapabilitySet = CapabilitySet::BPF.union(CapabilitySet::PERFMON);

/// How the lines begin with which the verifier ends whatever it had to say.
const STATISTICS: &[&str] = &[
    "processed",
    "verification time",
    "stack depth",
    "insns processed",
];

/// Why a program could not be loaded or attached.
pub fn refused(error: ProgramError) -> EbpfError {
    match error {
        ProgramError::LoadError {
            io_error,
            verifier_log,
        } => unloaded(io_error, &verifier_log.to_string()),
        ProgramError::SyscallError(error) if is_denied(&error.io_error) => {
            denial(error.io_error.to_string())
        }
        other => load_failed(other),
    }
}

/// Why a map could not be made.
pub fn map_refused(error: MapError) -> EbpfError {
    match error {
        MapError::CreateError { io_error, .. } if is_denied(&io_error) => {
            denial(io_error.to_string())
        }
        MapError::SyscallError(error) if is_denied(&error.io_error) => {
            denial(error.io_error.to_string())
        }
        other => load_failed(other),
    }
}

/// The verifier has the same error for what it does not accept as the kernel for missing rights;
/// but it gives reasons.
fn unloaded(error: Error, verifier: &str) -> EbpfError {
    let is_reason = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && !STATISTICS.iter().any(|begin| line.starts_with(begin))
    };
    match verifier.lines().rev().find(is_reason) {
        Some(reason) => {
            debug!(verifier, "what the kernel's verifier says");
            EbpfError::Load(format!("the kernel's verifier says: {reason} ({error})"))
        }
        None if is_denied(&error) => denial(error.to_string()),
        None => load_failed(error),
    }
}

/// The kernel has one word for missing rights and for too low a limit of locked memory.
fn denial(cause: String) -> EbpfError {
    let has_rights =
        rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(RIGHTS));
    match locked::limit_in_force() {
        Some(limit) if has_rights => EbpfError::LockedMemory { cause, limit },
        _ => EbpfError::Refused(cause),
    }
}

fn is_denied(error: &Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied
}

/// Something else failed, with all its causes.
pub fn load_failed(error: impl std::error::Error) -> EbpfError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    EbpfError::Load(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "0: R1=ctx() R10=fp0\n\
                       7: (85) call unknown#123\n\
                       unknown func bpf_get_current_ancestor_cgroup_id#123\n\
                       verification time 12 usec\nstack depth 48\n\
                       processed 8 insns (limit 1000000) max_states_per_insn 0\n";

    #[test]
    fn of_the_verifiers_log_the_reason_is_told() {
        let refused = |number, log: &str| unloaded(Error::from_raw_os_error(number), log);
        for number in [rustix::io::Errno::INVAL, rustix::io::Errno::ACCESS] {
            let error = refused(number.raw_os_error(), LOG);
            let EbpfError::Load(text) = error else {
                panic!("{error}");
            };
            assert!(text.contains("unknown func"), "{text}");
            assert!(
                !text.contains("R10") && !text.contains("processed"),
                "{text}"
            );
        }
        for log in ["", "\n", "processed 0 insns\n"] {
            let error = refused(rustix::io::Errno::INVAL.raw_os_error(), log);
            assert!(matches!(error, EbpfError::Load(_)), "{error}");
            let error = refused(rustix::io::Errno::PERM.raw_os_error(), log);
            assert!(!matches!(error, EbpfError::Load(_)), "{error}");
        }
    }
}
