//! The memory of the command line. Everybody who sees our process reads it in `/proc/PID/cmdline`, whatever we
//! do, so secrets in it are overwritten where they stand. `PR_SET_MM_ARG_START` would need
//! `CAP_SYS_RESOURCE`. Only `main` calls this.

use std::ffi::{c_char, c_int};
use std::ops::Range;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// A part of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentPart {
    /// Which argument; 0 is the program's name.
    pub argument: usize,
    /// Its bytes.
    pub bytes: Range<usize>,
}

/// What hides a byte. C's `char` has a sign on x86-64 and none on arm64.
const HIDDEN: c_char = c_char::from_ne_bytes(*b"*");

static COUNT: AtomicUsize = AtomicUsize::new(0);
static ARGUMENTS: AtomicPtr<*mut c_char> = AtomicPtr::new(std::ptr::null_mut());

/// The standard library copies arguments and does not say where they stand, so the loader tells us: glibc, linked
/// statically or not, passes the arguments of `main` to each constructor.
#[cfg(target_env = "gnu")]
#[used]
#[unsafe(link_section = ".init_array")]
static REMEMBER: extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char) = remember;

#[cfg(target_env = "gnu")]
extern "C" fn remember(count: c_int, arguments: *mut *mut c_char, _: *mut *mut c_char) {
    COUNT.store(usize::try_from(count).unwrap_or(0), Ordering::Relaxed);
    ARGUMENTS.store(arguments, Ordering::Relaxed);
}

/// Overwrites these parts, each byte with a `*`, so that `ps` still shows the rest. Later reads of
/// [`std::env::args_os`] see the stars: take a copy first.
pub fn hide(parts: &[ArgumentPart]) {
    let arguments = ARGUMENTS.load(Ordering::Relaxed);
    let count = COUNT.load(Ordering::Relaxed);
    for part in parts.iter().filter(|part| part.argument < count) {
        // SAFETY: the loader gave us an array of `count` pointers (none if the array is null), which lives as
        // long as the process.
        let argument = unsafe { *arguments.add(part.argument) };
        // SAFETY: each pointer is that of a text that ends with a null byte. Nobody writes it but us.
        let length = unsafe { libc::strlen(argument) };
        for at in part.bytes.start..part.bytes.end.min(length) {
            // SAFETY: the byte lies within the text, whose memory is ours to write (C11 §5.1.2.2.1). No
            // reference to it exists: the standard library copies what it reads. `volatile`, because only the
            // kernel reads it later.
            unsafe { argument.add(at).write_volatile(HIDDEN) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program's name: nothing else stands for certain on the command line of a test.
    #[test]
    fn a_part_is_overwritten_where_the_kernel_shows_it() {
        let shown = || std::fs::read("/proc/self/cmdline").unwrap();
        let before = shown();
        let length = before.iter().position(|byte| *byte == 0).unwrap();
        hide(&[
            ArgumentPart {
                argument: 0,
                bytes: length - 3..length + 50,
            },
            ArgumentPart {
                argument: 10_000,
                bytes: 0..1,
            },
        ]);
        let mut expected = before;
        expected[length - 3..length].fill(b'*');
        assert_eq!(shown(), expected);
    }
}
