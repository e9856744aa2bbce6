//! Explains the kernel's errors: missing capabilities, too little locked memory, or programs that its
//! verifier does not accept.

use std::fs;
use std::io::{Error, ErrorKind};

use aya::{maps::MapError, programs::ProgramError};
use rustix::thread::CapabilitySet;
use tracing::debug;

use super::{EbpfError, LoadError, error::Refuser, locked};

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

/// The kernel returns one error for missing capabilities, for too low a limit of locked memory, and for what a
/// filter or a security module forbids.
fn denial(source: Error) -> EbpfError {
    let has_capabilities =
        rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(CAPABILITIES));
    if !has_capabilities {
        return EbpfError::Refused(source);
    }
    let by = refuser(
        &fs::read_to_string("/proc/self/uid_map").unwrap_or_default(),
        &fs::read_to_string("/proc/thread-self/status").unwrap_or_default(),
    );
    match locked::limit_in_force() {
        Some(limit) if by != Refuser::UserNamespace => EbpfError::LockedMemory { source, limit },
        _ => EbpfError::Forbidden { source, by },
    }
}

/// Who refuses, from the texts of our `/proc/self/uid_map` and `status`.
fn refuser(uid_map: &str, status: &str) -> Refuser {
    // The node's own user namespace maps all users to themselves.
    let is_the_nodes = uid_map.split_whitespace().eq(["0", "0", "4294967295"]);
    let mut lines = status.lines();
    let mode = lines.find_map(|line| line.strip_prefix("Seccomp:"));
    if !is_the_nodes && !uid_map.is_empty() {
        Refuser::UserNamespace
    } else if mode.map(str::trim) == Some("2") {
        Refuser::Seccomp
    } else {
        Refuser::SecurityModule
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
    use aya::EbpfLoader;

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
            // The advice about limits depends on it.
            assert!(root_cause(&error).is::<Error>(), "{error:?}");
            let error = refused(rustix::io::Errno::PERM.raw_os_error(), log);
            assert!(!matches!(error, EbpfError::Load(_)), "{error}");
            assert!(root_cause(&error).is::<Error>(), "{error:?}");
        }
    }

    #[test]
    fn who_refuses_is_told_apart_from_missing_capabilities() {
        let node = "         0          0 4294967295\n";
        let status =
            |mode: &str| format!("Name:\tcopilot\nSeccomp:\t{mode}\nSeccomp_filters:\t1\n");
        for (uid_map, mode, by, words) in [
            (node, "2", Refuser::Seccomp, "seccomp profile refuses"),
            (node, "0", Refuser::SecurityModule, "security module"),
            ("0 100000 65536\n", "2", Refuser::UserNamespace, "hostUsers"),
            ("", "2", Refuser::Seccomp, "seccomp"),
        ] {
            assert_eq!(refuser(uid_map, &status(mode)), by, "{uid_map} {mode}");
            assert!(by.to_string().contains(words), "{by}");
        }
    }

    /// As under a runtime's seccomp profile; a filter holds for the thread that sets it.
    #[test]
    fn a_filter_that_forbids_bpf_is_named() {
        let all =
            rustix::thread::capabilities(None).is_ok_and(|it| it.effective.contains(CAPABILITIES));
        if !all {
            println!("SKIPPED: CAP_BPF and CAP_PERFMON are needed");
            return;
        }
        let thread = std::thread::spawn(|| {
            use seccompiler::{SeccompAction, SeccompFilter};
            let rules = [(libc::SYS_bpf, vec![])].into_iter().collect();
            let refusal = SeccompAction::Errno(libc::EPERM.cast_unsigned());
            let architecture = std::env::consts::ARCH.try_into().unwrap();
            let filter = SeccompFilter::new(rules, SeccompAction::Allow, refusal, architecture);
            let program: seccompiler::BpfProgram = filter.unwrap().try_into().unwrap();
            seccompiler::apply_filter(&program).unwrap();
            let error = EbpfLoader::new().load(super::super::OBJECT).err().unwrap();
            match error {
                aya::EbpfError::MapError(error) => map_refused(error).to_string(),
                other => panic!("{other}"),
            }
        });
        let message = thread.join().unwrap();
        assert!(message.contains("although CAP_BPF"), "{message}");
        assert!(message.contains("seccomp profile refuses"), "{message}");
    }

    fn root_cause(error: &EbpfError) -> &(dyn std::error::Error + 'static) {
        let mut cause: &(dyn std::error::Error + 'static) = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        cause
    }
}
