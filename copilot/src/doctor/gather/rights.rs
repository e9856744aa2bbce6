//! What we may do.

use super::line_of;
use crate::confine::{Needs, foretell};
use crate::doctor::facts::{Reason, RightsFacts};

/// What this process may do. `needs`: of the job, once its watcher is attached.
#[must_use]
pub fn rights(needs: &Needs) -> RightsFacts {
    RightsFacts {
        uid: rustix::process::geteuid().as_raw(),
        foretold: foretell(needs).map_err(Reason::from),
        is_filtered: line_of("/proc/thread-self/status").is_some_and(|text| is_filtered(&text)),
        bpf_reaches_kernel: bpf_reaches_kernel(),
    }
}

/// Whether a filter of system calls is in force, by the text of a `/proc/PID/status`.
fn is_filtered(status: &str) -> bool {
    let mode = status
        .lines()
        .find_map(|line| line.strip_prefix("Seccomp:"));
    mode.map(str::trim) == Some("2")
}

/// Whether the system call `bpf` gets past a filter. The kernel refuses a structure larger than a page with E2BIG
/// before it asks a security module (`__sys_bpf`), and a filter answers before that, usually with EPERM. Without the
/// capabilities, older kernels answer EPERM themselves.
fn bpf_reaches_kernel() -> bool {
    const SIZE: libc::c_uint = libc::c_uint::MAX;
    // SAFETY: the kernel refuses the size before it reads anything through the pointer, which is null.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, 0, std::ptr::null::<libc::c_void>(), SIZE) };
    answer == -1 && std::io::Error::last_os_error().raw_os_error() == Some(libc::E2BIG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_shows_a_filter() {
        for (mode, expected) in [("0", false), ("1", false), ("2", true)] {
            let status = format!("Name:\tx\nSeccomp:\t{mode}\nSeccomp_filters:\t1\n");
            assert_eq!(is_filtered(&status), expected, "{mode}");
        }
        assert!(!is_filtered(""));
    }

    /// A filter holds for the thread that sets it.
    #[test]
    fn a_filter_that_refuses_bpf_is_told_apart() {
        let has_rights = rights(&Needs::default()).have_bpf();
        if !has_rights {
            println!("SKIPPED: CAP_BPF and CAP_PERFMON are needed");
            return;
        }
        assert!(bpf_reaches_kernel());
        let thread = std::thread::spawn(|| {
            use seccompiler::{SeccompAction, SeccompFilter};
            rustix::thread::set_no_new_privs(true).unwrap();
            let rules = [(libc::SYS_bpf, vec![])].into_iter().collect();
            let refusal = SeccompAction::Errno(libc::EPERM.cast_unsigned());
            let architecture = std::env::consts::ARCH.try_into().unwrap();
            let filter = SeccompFilter::new(rules, SeccompAction::Allow, refusal, architecture);
            let program: seccompiler::BpfProgram = filter.unwrap().try_into().unwrap();
            seccompiler::apply_filter(&program).unwrap();
            let rights = rights(&Needs::default());
            (rights.is_filtered, rights.bpf_reaches_kernel)
        });
        assert_eq!(thread.join().unwrap(), (true, false));
    }
}
