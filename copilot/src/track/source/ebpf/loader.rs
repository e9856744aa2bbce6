//! aya's loader, without the kernel's types.
//!
//! The programs have no relocations: user space sets the offsets that they need. But aya's only way to make a loader
//! reads and parses all of the kernel's BTF, at four times the size of that file: 20 MiB and more for a moment, which
//! a container's memory limit has to allow for. It does without if it cannot open the file. So the loader is made in
//! a thread that can open none. Called by `attach`.

use std::thread;

use aya::EbpfLoader;
use tracing::debug;

/// `include/uapi/linux/seccomp.h`, for `prctl(2)`.
const FILTER: libc::c_ulong = 2;

/// A loader without the kernel's types.
pub fn loader<'a>() -> EbpfLoader<'a> {
    let made = thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, || {
            if let Err(error) = refuse_to_open_files() {
                debug!(%error, "aya reads the kernel's types, which takes memory for a moment");
            }
            EbpfLoader::new()
        });
        thread.ok()?.join().ok()
    });
    let mut loader = made.unwrap_or_else(EbpfLoader::new);
    loader.btf(None);
    loader
}

/// Lets the kernel refuse to open files, for this thread and for good.
fn refuse_to_open_files() -> std::io::Result<()> {
    let statement = |code: u32, k: u32| libc::sock_filter {
        #[expect(clippy::cast_possible_truncation, reason = "the codes have 16 bits")]
        code: code as u16,
        jt: 0,
        jf: 0,
        k,
    };
    let skip_unless = |number: libc::c_long| libc::sock_filter {
        jf: 1,
        ..statement(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            u32::try_from(number).unwrap_or(u32::MAX),
        )
    };
    let refuse = statement(
        libc::BPF_RET | libc::BPF_K,
        libc::SECCOMP_RET_ERRNO | libc::EACCES.unsigned_abs(),
    );
    let mut filter = [
        // The number of the system call is the first word of what the filter sees.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        skip_unless(libc::SYS_openat),
        refuse,
        skip_unless(libc::SYS_openat2),
        refuse,
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        #[expect(clippy::cast_possible_truncation, reason = "it has six instructions")]
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    rustix::thread::set_no_new_privs(true)?;
    // SAFETY: the program and its instructions live until the call returns, and the kernel copies them.
    let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, FILTER, &raw const program) };
    if result != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_thread_that_asks_for_it_can_open_no_file() {
        let opened = || std::fs::File::open("/proc/self/stat").map(drop);
        let thread = thread::spawn(move || {
            refuse_to_open_files().expect("a thread may restrict itself");
            opened().map_err(|error| error.kind())
        });
        let refused = thread.join().expect("the thread ends");
        assert_eq!(refused, Err(std::io::ErrorKind::PermissionDenied));
        opened().expect("this thread opens files");
    }
}
