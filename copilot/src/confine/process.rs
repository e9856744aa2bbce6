//! Closed to other processes: no `/proc/PID/{environ,root,cwd,fd,maps,mem,auxv}`, no ptrace, no core.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Shuts other processes out. These are the first lines of `main`, before there is a secret in memory that the
/// kernel did not put there, or a second thread.
///
/// The kernel then asks for `CAP_SYS_PTRACE` from everybody who wants to read us, of whatever user, and writes
/// no core. A refusal cannot happen on the kernels that we support, and would not be worth an output.
pub fn close() {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    ignore_limit_of_file_size();
}

/// Gives up what a program that we run would inherit for good: its cores, and rights that its file would give it.
/// Landlock and seccomp want it. Called at once, unless we are to run a program.
pub fn run_no_program() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // For a core that a pipe of the node takes (`kernel.core_pattern`), only `close` counts.
    let _ = setrlimit(Resource::Core, none);
    let _ = rustix::thread::set_no_new_privs(true);
}

/// A write beyond `RLIMIT_FSIZE` then fails with EFBIG instead of ending us. (Rust ignores SIGPIPE already.)
fn ignore_limit_of_file_size() {
    // SAFETY: SIG_IGN runs no code of ours, and no other thread changes this signal's action.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// How many threads this process has; `None` if `/proc` does not say.
pub(super) fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}
