//! Explains the kernel's errors: missing capabilities, too little locked memory, or programs that its
//! verifier does not accept.

use std::io::{Error, ErrorKind};

use aya::{maps::MapError, programs::ProgramError};
use rustix::thread::CapabilitySet;
use tracing::debug;

use super::{EbpfError, LoadError, locked};

/// The capabilities that BPF for tracing needs.
pub const CAPABILITIES: CapabilitySet = CapabilitySet::BPF.union(CapabilitySet::PERFMON);

/// The prefixes of the lines of statistics at the end of the verifier's log.
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
        ProgramError::SyscallError(error) if is_denied(&error.io_error) => denial(error.io_error),
        other => load_failed(other),
    }
}

/// Why a map could not be created.
pub fn map_refused(error: MapError) -> EbpfError {
    match error {
        MapError::CreateError { io_error, .. } if is_denied(&io_error) => denial(io_error),
        MapError::SyscallError(error) if is_denied(&error.io_error) => denial(error.io_error),
        other => load_failed(other),
    }
}

/// The kernel returns the same error for a program that its verifier does not accept and for missing
/// capabilities. Only the verifier gives a reason.
fn unloaded(error: Error, verifier: &str) -> EbpfError {
    let is_reason = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && !STATISTICS.iter().any(|begin| line.starts_with(begin))
    };
    match verifier.lines().rev().find(is_reason) {
        Some(reason) => {
            debug!(verifier, "the log of the kernel's verifier");
            let reason = reason.to_owned();
            EbpfError::Load(LoadError::Verifier {
                reason,
                source: error,
            })
        }
        None if is_denied(&error) => denial(error),
        None => load_failed(error),
    }
}

/// The kernel returns one error for missing capabilities and for too low a limit of locked memory.
fn denial(source: Error) -> EbpfError {
    let has_capabilities =
        rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(CAPABILITIES));
    match locked::limit_in_force() {
        Some(limit) if has_capabilities => EbpfError::LockedMemory { source, limit },
        _ => EbpfError::Refused(source),
    }
}

fn is_denied(error: &Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied
}

/// Any other failure to load the programs.
pub fn load_failed(error: impl Into<LoadError>) -> EbpfError {
    EbpfError::Load(error.into())
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
    fn the_message_holds_the_reason_in_the_verifiers_log() {
        let refused = |number, log: &str| unloaded(Error::from_raw_os_error(number), log);
        for number in [rustix::io::Errno::INVAL, rustix::io::Errno::ACCESS] {
            let error = refused(number.raw_os_error(), LOG);
            assert!(matches!(error, EbpfError::Load(_)), "{error}");
            assert!(root_cause(&error).is::<Error>(), "{error:?}");
            let text = error.to_string();
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
            assert!(root_cause(&error).is::<Error>(), "{error:?}");
        }
    }

    fn root_cause(error: &EbpfError) -> &(dyn std::error::Error + 'static) {
        let mut cause: &(dyn std::error::Error + 'static) = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        cause
    }
}
