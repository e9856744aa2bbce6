//! The filter of system calls: a list of what is refused, and everything else is allowed.
//!
//! A list of what is allowed would be stricter, but new versions of the C library and of the kernel bring new
//! calls for old needs, and one that is missing costs the outputs of a task. So the list holds what no version
//! of this program needs: reading and steering other processes, running programs, mounts, modules, keys, clocks,
//! other users. They fail with EPERM.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Compare,
    SeccompCondition as Condition, SeccompFilter, SeccompRule, TargetArch,
};
use thiserror::Error;

use super::{Needs, Step};

/// Refused whatever the arguments are.
const REFUSED: &[i64] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    // Programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_mknodat,
    // The node.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_personality,
    // Keys.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Other users.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    // Calls that pass this filter by.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

/// The same for calls that one architecture has.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[i64] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_mknod,
    libc::SYS_kexec_file_load,
    libc::SYS_uselib,
    libc::SYS_modify_ldt,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[i64] = &[libc::SYS_kexec_file_load];

/// What is still done with BPF (`enum bpf_cmd`): look-up, update, delete and next key of a map, and attaching a loaded
/// program to a raw tracepoint. Loading programs and making maps is not among them.
const WITH_BPF: [u64; 5] = [1, 2, 3, 4, 17];

/// The kinds of sockets that reach stores and resolvers; the last one tells the resolver our addresses.
const FAMILIES: [i32; 4] = [
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];

/// Why there is no filter.
#[derive(Debug, Error)]
enum SeccompError {
    /// Not on this architecture.
    #[error("no filter can be made here ({0})")]
    Build(#[from] BackendError),
    /// The kernel refuses it.
    #[error("the kernel refuses it ({0})")]
    Install(#[from] seccompiler::Error),
}

/// Refuses what the job does not need, on all threads.
pub(super) fn restrict(needs: &Needs) -> Step {
    Step {
        name: "seccomp",
        outcome: restricted(needs).map_err(|error| error.to_string()),
    }
}

fn restricted(needs: &Needs) -> Result<String, SeccompError> {
    let rules = rules(needs)?;
    let count = rules.len();
    seccompiler::apply_filter_all_threads(&program(rules)?)?;
    Ok(format!(
        "{count} system calls are refused: other processes, programs, mounts, modules, keys, clocks, users"
    ))
}

fn program(rules: BTreeMap<i64, Vec<SeccompRule>>) -> Result<BpfProgram, BackendError> {
    let architecture: TargetArch = std::env::consts::ARCH.try_into()?;
    let refusal = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, refusal, architecture)?.try_into()
}

/// The refused calls; no rule means that all arguments are refused.
fn rules(needs: &Needs) -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
    let whole = REFUSED.iter().chain(REFUSED_HERE);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = whole.map(|call| (*call, vec![])).collect();
    let bpf = if needs.bpf {
        vec![other_than(&WITH_BPF)?]
    } else {
        vec![]
    };
    rules.insert(libc::SYS_bpf, bpf);
    let families = FAMILIES.map(|family| u64::from(family.cast_unsigned()));
    rules.insert(libc::SYS_socket, vec![other_than(&families)?]);
    // To write as if a terminal's user had typed it.
    let typing = Condition::new(1, Length::Dword, Compare::Eq, libc::TIOCSTI)?;
    rules.insert(libc::SYS_ioctl, vec![SeccompRule::new(vec![typing])?]);
    // What would open us to others again.
    let dumpable = u64::from(libc::PR_SET_DUMPABLE.cast_unsigned());
    let opens = vec![
        Condition::new(0, Length::Dword, Compare::Eq, dumpable)?,
        Condition::new(1, Length::Qword, Compare::Ne, 0)?,
    ];
    rules.insert(libc::SYS_prctl, vec![SeccompRule::new(opens)?]);
    Ok(rules)
}

/// Applies where the first argument is none of these.
fn other_than(allowed: &[u64]) -> Result<SeccompRule, BackendError> {
    let differs = |value: &u64| Condition::new(0, Length::Dword, Compare::Ne, *value);
    SeccompRule::new(allowed.iter().map(differs).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// A filter cannot be taken back, so it holds for a thread of its own.
    fn filtered(needs: &Needs, test: fn()) {
        let filter = program(rules(needs).unwrap()).unwrap();
        let thread = std::thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).unwrap();
            seccompiler::apply_filter(&filter).unwrap();
            test();
        });
        thread.join().unwrap();
    }

    fn call(number: i64, arguments: [u64; 3]) -> Result<i64, i32> {
        let [first, second, third] = arguments;
        // SAFETY: the calls of these tests take no pointer, or a null one that the kernel refuses.
        let result = unsafe { libc::syscall(number, first, second, third, 0, 0) };
        match result {
            -1 => Err(io::Error::last_os_error().raw_os_error().unwrap_or(0)),
            result => Ok(result),
        }
    }

    fn is_refused(number: i64, arguments: [u64; 3]) -> bool {
        call(number, arguments) == Err(libc::EPERM)
    }

    #[test]
    fn what_no_job_needs_is_refused() {
        filtered(&Needs::default(), || {
            assert!(is_refused(libc::SYS_ptrace, [0xFFFF, 0, 0]));
            assert!(is_refused(libc::SYS_execve, [0, 0, 0]));
            assert!(is_refused(libc::SYS_unshare, [0, 0, 0]));
            assert!(is_refused(libc::SYS_keyctl, [0, 0, 0]));
            assert!(is_refused(libc::SYS_bpf, [1, 0, 0]));
            assert!(is_refused(libc::SYS_prctl, [4, 1, 0]));
            assert!(is_refused(libc::SYS_socket, [17, 3, 0]));
            assert_eq!(call(libc::SYS_prctl, [4, 0, 0]), Ok(0));
            // What each job needs goes on.
            let mut socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = socket.local_addr().unwrap();
            std::net::TcpStream::connect(address).unwrap();
            socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            drop(socket);
            std::thread::spawn(|| ()).join().unwrap();
            assert!(std::fs::read("/proc/self/stat").is_ok());
        });
    }

    #[test]
    fn bpf_stays_for_the_watcher_that_has_it_but_loads_nothing() {
        let needs = Needs {
            bpf: true,
            ..Needs::default()
        };
        filtered(&needs, || {
            for command in WITH_BPF {
                // Without a map or program, the kernel says so.
                assert!(!is_refused(libc::SYS_bpf, [command, 0, 0]) || !may_use_bpf());
            }
            for command in [0, 5, 8, 28] {
                assert!(is_refused(libc::SYS_bpf, [command, 0, 0]));
            }
        });
    }

    fn may_use_bpf() -> bool {
        rustix::thread::capabilities(None)
            .is_ok_and(|sets| sets.effective.contains(rustix::thread::CapabilitySet::BPF))
    }
}
