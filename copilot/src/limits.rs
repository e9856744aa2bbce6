//! The limits of this process on open files and on the size of a file. We raise the first to what we are allowed
//! at the start, and an error that one of them causes names it. Callers: `main`, and whatever turns an I/O error
//! into words.

use std::io;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit on open files to the hard one. Many systems set it to 1,024 for programs that use
/// `select`, which we do not. If that is refused, the limit stays as it is.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // No hard limit: the kernel still has one for files (`fs.nr_open`), and refuses more.
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(Resource::Nofile, raised);
}

/// Files that the process opens before it can do anything, and to report what fails then. One of them is the
/// kernel's source of random numbers: where the program is linked statically, our library reads it from a file.
const LEAST: usize = 9;

/// The process may not open the files without which it cannot even report a failure.
#[derive(Debug, thiserror::Error)]
#[error("cannot start: {source}. {}", advice(source).unwrap_or_default())]
pub struct TooFewFiles {
    source: io::Error,
}

/// Checks that as many more files can be opened as the process needs to report a failure. What it inherited
/// counts against the limit as well.
///
/// # Errors
/// That they cannot.
pub fn check_open_files() -> Result<(), TooFewFiles> {
    let open = |_| rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    let opened: Result<Vec<_>, _> = (0..LEAST).map(open).collect();
    match opened {
        Err(error @ (Errno::MFILE | Errno::NFILE)) => Err(TooFewFiles {
            source: error.into(),
        }),
        // Where even the root cannot be opened, something else is said later.
        _ => Ok(()),
    }
}

/// What to do about an error that comes from too many open files or from a file that is too large; none for any
/// other error.
#[must_use]
pub fn advice(error: &io::Error) -> Option<String> {
    match error.raw_os_error() {
        Some(libc::EMFILE) => {
            let limit = getrlimit(Resource::Nofile).current;
            let limit = limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
            Some(format!(
                "This process may have {limit} files open at once (ulimit -n). Raise the hard limit of the \
                 container, or lower --max-connections"
            ))
        }
        Some(libc::ENFILE) => Some(
            "The node has too many files open (sysctl fs.file-max). Raise that limit, or look for the \
             process that opens them"
                .to_owned(),
        ),
        Some(libc::EFBIG) => Some(match getrlimit(Resource::Fsize).current {
            Some(limit) => format!(
                "This process may write files of {limit} bytes (RLIMIT_FSIZE, ulimit -f). Raise that limit of the \
                 container"
            ),
            None => "The file system holds no file of this size. Use a volume of another kind".to_owned(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        raise_open_files();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }

    #[test]
    fn only_what_a_limit_causes_has_advice() {
        let limit = getrlimit(Resource::Nofile).current;
        let words = advice(&io::Error::from_raw_os_error(libc::EMFILE)).unwrap();
        assert!(words.contains("ulimit -n"), "{words}");
        if let Some(limit) = limit {
            assert!(words.contains(&limit.to_string()), "{words}");
        }
        let words = advice(&io::Error::from_raw_os_error(libc::ENFILE)).unwrap();
        assert!(words.contains("fs.file-max"), "{words}");
        let words = advice(&io::Error::from_raw_os_error(libc::EFBIG)).unwrap();
        assert!(words.contains("file"), "{words}");
        assert_eq!(advice(&io::Error::from_raw_os_error(libc::ENOENT)), None);
        assert_eq!(advice(&io::Error::other("too many files")), None);
    }
}
