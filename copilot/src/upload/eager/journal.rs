//! Which objects this sidecar has tried to write early, kept where its next life finds it.
//!
//! A sidecar that is killed while main runs is started again and knows nothing; what it had sent may
//! be no output in the end, and would stay. So each name is noted before its object is written, in a
//! file of the output directory that belongs to no output. Main may write there, too: whatever it
//! forges is joined to the raw prefix, its own, and cannot leave it.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::sync::Arc;

use tracing::warn;

use crate::upload::directory::Directory;

/// Its name in the output directory.
pub const NAME: &str = ".copilot-early";

/// The most that is read of it: a hundred thousand names of usual length.
const LONGEST: u64 = 16 << 20;

/// The notes of this life.
#[derive(Debug)]
pub struct Journal {
    directory: Arc<Directory>,
    file: File,
}

impl Journal {
    /// Opens the journal, and gives the names that an earlier life has noted.
    pub fn open(directory: &Arc<Directory>) -> io::Result<(Self, Vec<Box<str>>)> {
        let file = directory.open_own(NAME)?;
        let tried = read(&file)?;
        let directory = Arc::clone(directory);
        Ok((Self { directory, file }, tried))
    }

    /// Notes a name: segments, joined by `/`.
    pub fn note(&mut self, key: &str) -> io::Result<()> {
        // As JSON: a name may hold the end of a line.
        let line = format!("{}\n", serde_json::Value::from(key));
        self.file.write_all(line.as_bytes())
    }

    /// Removes it.
    pub fn remove(self) {
        if let Err(error) = self.directory.remove_own(NAME) {
            warn!(%error, "{NAME} stays in the output directory");
        }
    }
}

/// The names in a journal; what is none is left out.
fn read(file: &File) -> io::Result<Vec<Box<str>>> {
    let mut keys = Vec::new();
    let mut foreign = 0;
    for line in BufReader::new(file.take(LONGEST)).split(b'\n') {
        match serde_json::from_slice::<Box<str>>(&line?) {
            Ok(key) => keys.push(key),
            // The last line of a life that was cut short, or not ours.
            Err(_) => foreign += 1,
        }
    }
    if foreign > 0 {
        warn!(lines = foreign, "{NAME} holds lines that are no names");
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn names_come_back_and_what_is_none_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let directory = Arc::new(Directory::open(dir.path()).unwrap());
        let (mut journal, tried) = Journal::open(&directory).unwrap();
        assert!(tried.is_empty());
        for key in ["o", "tree/a\nb", "tree/\"é\""] {
            journal.note(key).unwrap();
        }
        let path = dir.path().join(NAME);
        let mut content = fs::read(&path).unwrap();
        content.extend(b"garbage\n\xff\n[\"a\"]\n\"cut");
        fs::write(&path, content).unwrap();
        let (again, tried) = Journal::open(&directory).unwrap();
        let tried: Vec<&str> = tried.iter().map(|key| &**key).collect();
        assert_eq!(tried, ["o", "tree/a\nb", "tree/\"é\""]);
        again.remove();
        assert!(!path.exists());
    }

    #[test]
    fn what_main_puts_in_its_place_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let directory = Arc::new(Directory::open(dir.path()).unwrap());
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join(NAME)).unwrap();
        assert!(Journal::open(&directory).is_err());
        fs::remove_file(dir.path().join(NAME)).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o666);
        rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join(NAME), mode).unwrap();
        assert!(Journal::open(&directory).is_err());
    }
}
