//! The end of main's standard error, if the program keeps a copy in its output directory. Only that says why it
//! failed where it writes no `_ERROR`. Caller: the sidecar, for its report.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use tracing::debug;

use crate::beneath::SharedDirectory;
use crate::report::one_line;

/// The file that a program copies its standard error to.
const FILE: &str = "_STDERR";

/// How many bytes of its end are read.
const READ: u64 = 4 << 10;

/// How many bytes of it are told: a quarter of a termination message.
const TOLD: usize = 1 << 10;

/// How many lines of it are told.
const LINES: usize = 10;

/// The last lines of `_STDERR`, in one line with escapes. None if the file does not exist, is empty, or is not a
/// regular file.
#[must_use]
pub fn last_lines(directory: &SharedDirectory) -> Option<String> {
    match end_of(directory) {
        Ok(end) => told(&end),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            debug!(%error, file = FILE, "main's standard error cannot be read");
            None
        }
    }
}

/// The last bytes of the file, from the beginning of a line on.
fn end_of(directory: &SharedDirectory) -> io::Result<Vec<u8>> {
    let directory = directory.open().map_err(io::Error::other)?;
    // Else an open of a pipe may wait, or what was opened has no end.
    if directory.stat(Path::new(FILE))?.is_none() {
        return Ok(Vec::new());
    }
    let mut file = directory.open_file(Path::new(FILE))?;
    let size = file.seek(SeekFrom::End(0))?;
    let begin = size.saturating_sub(READ);
    file.seek(SeekFrom::Start(begin))?;
    let mut end = Vec::new();
    file.take(READ).read_to_end(&mut end)?;
    if begin > 0
        && let Some(line_end) = end.iter().position(|byte| *byte == b'\n')
    {
        end.drain(..=line_end);
    }
    Ok(end)
}

/// The last lines, the last one whole, as far as they fit.
fn told(end: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(end);
    let mut lines: Vec<String> = Vec::new();
    let mut size = 0;
    let from_the_end = text.lines().rev().map(str::trim_end);
    for line in from_the_end.filter(|line| !line.is_empty()).take(LINES) {
        let mut line = one_line(line);
        if lines.is_empty() && line.len() > TOLD {
            line.truncate(line.floor_char_boundary(TOLD));
            line.push('…');
        }
        size += line.len() + 3;
        if !lines.is_empty() && size > TOLD {
            break;
        }
        lines.push(line);
    }
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join(" | "))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_last_lines_are_told_in_one() {
        let long = "x".repeat(5_000);
        for (content, expected) in [
            (&b""[..], None),
            (b"\n \n", None),
            (
                b"Traceback\n\nValueError: no column x\n",
                Some("Traceback | ValueError: no column x".to_owned()),
            ),
            (b"a\x1b[2J\xff", Some("a\\u{1b}[2J\u{fffd}".to_owned())),
            (long.as_bytes(), Some(format!("{}…", "x".repeat(TOLD)))),
        ] {
            assert_eq!(told(content), expected);
        }
        let many = (0..100).map(|line| format!("line {line}\n"));
        let many = many.collect::<Vec<_>>().concat();
        let told = told(many.as_bytes()).unwrap();
        assert!(
            told.starts_with("line 90 | ") && told.ends_with(" | line 99"),
            "{told}"
        );
    }

    #[test]
    fn only_a_regular_file_in_the_output_directory_is_read() {
        let place = tempfile::tempdir().unwrap();
        let shared = SharedDirectory::at(place.path());
        let path = place.path().join(FILE);
        assert_eq!(last_lines(&shared), None);
        fs::write(&path, "é".repeat(3_000) + "\nthe end\n").unwrap();
        assert_eq!(last_lines(&shared).as_deref(), Some("the end"));
        fs::remove_file(&path).unwrap();
        symlink("/etc/passwd", &path).unwrap();
        assert_eq!(last_lines(&shared), None);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(last_lines(&shared), None);
    }
}
