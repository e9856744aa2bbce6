//! Which early objects and which multipart uploads this sidecar has begun, kept where its next life finds
//! them.
//!
//! A sidecar that is killed is started again without any memory of what it sent. Some of that may not be
//! an output in the end, and would stay in the store. So the sidecar notes each name before it writes the
//! object early, each multipart upload before it begins, and its id before it sends a part, in a file of
//! the output directory that belongs to no output. A commit removes the file, so a life that finds it
//! follows one that did not commit. What it says is a hint and never a proof. Main can write there as well: every name is joined to
//! the raw prefix, which is main's own, and cannot leave it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use tracing::warn;

use super::limit::NameCount;
use crate::beneath::GuardedDirectory;

/// Its name in the output directory.
pub const NAME: &str = ".copilot-early";

/// The most bytes that are read of it.
const LONGEST: u64 = 64 << 20;

/// The longest line in bytes: a path of 4,095 bytes takes at most six times as much in JSON, and the id of an
/// upload has some hundred.
const LONGEST_LINE: u64 = 32 << 10;

/// The most multipart uploads that have not ended: each life of a sidecar has a few.
const MOST_UPLOADS: usize = 1000;

/// The open journal, to which this life adds.
#[derive(Debug)]
pub struct Journal {
    directory: Arc<GuardedDirectory>,
    file: File,
    /// Multipart uploads that have begun, or may have, and have not ended.
    unfinished: AtomicU64,
}

/// What earlier lives have noted.
#[derive(Debug, Default)]
pub struct JournalNotes {
    /// Names of objects: segments, joined by `/`.
    pub keys: BTreeSet<Box<str>>,
    /// Multipart uploads that have not ended, by the store's ids, each with the name of its object.
    pub uploads: BTreeMap<Box<str>, Box<str>>,
    /// Names of objects to which a multipart upload may have begun and not ended, each with the time of the
    /// first one, in milliseconds since the node's boot.
    pub beginnings: BTreeMap<Box<str>, u64>,
    /// How many lives have opened the journal.
    pub lives: u64,
}

/// A line of the journal, in JSON: a name may contain the end of a line.
#[derive(Deserialize)]
#[serde(untagged)]
enum JournalLine {
    Key(Box<str>),
    Begun {
        key: Box<str>,
        upload: Box<str>,
    },
    Begins {
        key: Box<str>,
        begins: u64,
    },
    Life {
        #[serde(rename = "life")]
        _since: u64,
    },
    Ended {
        ended: Box<str>,
    },
}

impl Journal {
    /// Opens the journal, and returns what earlier lives have noted.
    pub fn open(directory: &Arc<GuardedDirectory>) -> io::Result<(Self, JournalNotes)> {
        let file = directory.open_own(NAME)?;
        let noted = read(&file)?;
        let directory = Arc::clone(directory);
        let journal = Self {
            directory,
            file,
            unfinished: AtomicU64::new(0),
        };
        journal.write(&serde_json::json!({ "life": now() }))?;
        Ok((journal, noted))
    }

    /// Notes that a multipart upload to the object of this name is about to begin.
    pub fn note_beginning(&self, key: &str) -> io::Result<()> {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        self.write(&serde_json::json!({ "key": key, "begins": now() }))
    }

    /// Notes the name of an object: segments, joined by `/`.
    pub fn note(&self, key: &str) -> io::Result<()> {
        self.write(&serde_json::Value::from(key))
    }

    /// An upload of an earlier life could not be aborted.
    pub fn keep(&self) {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that a multipart upload to the object of this name has begun.
    pub fn note_upload(&self, key: &str, id: &str) -> io::Result<()> {
        self.write(&serde_json::json!({ "key": key, "upload": id }))
    }

    /// Notes that a multipart upload has ended, or did not begin. Without an id there is nothing to abort.
    pub fn note_end(&self, id: Option<&str>) -> io::Result<()> {
        self.unfinished.fetch_sub(1, Ordering::Relaxed);
        id.map_or(Ok(()), |id| self.write(&serde_json::json!({ "ended": id })))
    }

    /// The file is open for appending, so lines of two callers do not mix.
    fn write(&self, line: &serde_json::Value) -> io::Result<()> {
        (&self.file).write_all(format!("{line}\n").as_bytes())
    }

    /// Whether the store may keep an unfinished upload that the journal names.
    pub fn is_needed(&self) -> bool {
        self.unfinished.load(Ordering::Relaxed) > 0
    }

    /// Removes the journal.
    pub fn remove(&self) {
        if let Err(error) = self.directory.remove_own(NAME) {
            warn!(%error, "{NAME} stays in the output directory");
        }
    }
}

/// Milliseconds since the node's boot: a clock that nobody sets, and that all lives of a pod share.
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanos) = (time.tv_sec.cast_unsigned(), time.tv_nsec.cast_unsigned());
    seconds * 1000 + nanos / 1_000_000
}

/// The notes in a journal. Other lines are skipped, and so are more names or uploads than our lives note.
pub(super) fn read(file: impl Read) -> io::Result<JournalNotes> {
    let mut noted = JournalNotes::default();
    let (mut foreign, mut refused) = (0_u64, 0_u64);
    let (mut count, mut uploads) = (NameCount::default(), NameCount::default());
    let mut rest = BufReader::new(file.take(LONGEST));
    let mut line = Vec::new();
    while next_line(&mut rest, &mut line)? {
        match serde_json::from_slice::<JournalLine>(&line) {
            Ok(JournalLine::Key(key)) => {
                if noted.keys.contains(&key) {
                    continue;
                }
                if count.add(key.len()) {
                    noted.keys.insert(key);
                } else {
                    refused += 1;
                }
            }
            Ok(JournalLine::Begun { key, upload }) => {
                let length = key.len() + upload.len();
                if noted.uploads.contains_key(&upload) {
                    continue;
                }
                if noted.uploads.len() < MOST_UPLOADS && uploads.add(length) {
                    noted.uploads.insert(upload, key);
                } else {
                    refused += 1;
                }
            }
            Ok(JournalLine::Ended { ended }) => {
                if let Some(key) = noted.uploads.remove(&ended) {
                    uploads.remove(key.len() + ended.len());
                    if noted.beginnings.remove(&key).is_some() {
                        uploads.remove(key.len());
                    }
                }
            }
            Ok(JournalLine::Begins { key, begins }) => {
                if noted.beginnings.contains_key(&key) {
                    continue;
                }
                if noted.beginnings.len() < MOST_UPLOADS && uploads.add(key.len()) {
                    noted.beginnings.insert(key, begins);
                } else {
                    refused += 1;
                }
            }
            Ok(JournalLine::Life { .. }) => noted.lives += 1,
            // The last line of a life that was killed, or a line of main's.
            Err(_) => foreign += 1,
        }
    }
    if foreign > 0 {
        warn!(
            lines = foreign,
            "{NAME} contains lines that the sidecar did not write: they are skipped"
        );
    }
    if refused > 0 || rest.get_ref().limit() == 0 {
        warn!(
            refused,
            names = noted.keys.len(),
            uploads = noted.uploads.len(),
            "{NAME} holds more than the sidecar notes, so another program wrote into it. What fits is used, and \
             the rest is refused: objects that an earlier life of this sidecar sent may stay in the store"
        );
    }
    Ok(noted)
}

/// Reads the next line, without its end, or as much of it as a line of ours may have. `false` at the end.
fn next_line(rest: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    if rest.by_ref().take(LONGEST_LINE).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else {
        rest.skip_until(b'\n')?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn names_and_uploads_come_back_and_other_lines_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let directory = Arc::new(GuardedDirectory::open(dir.path()).unwrap());
        let (journal, noted) = Journal::open(&directory).unwrap();
        assert!(noted.keys.is_empty() && noted.uploads.is_empty() && noted.lives == 0);
        for key in ["o", "tree/a\nb", "tree/\"é\""] {
            journal.note(key).unwrap();
        }
        for id in ["an \"id\"", "a third"] {
            journal.note_upload("o", id).unwrap();
        }
        journal.note_beginning("o").unwrap();
        for key in ["tree/x", "ended"] {
            journal.note_beginning(key).unwrap();
        }
        journal.note_upload("ended", "its id").unwrap();
        journal.note_end(Some("its id")).unwrap();
        let path = dir.path().join(NAME);
        let mut content = fs::read(&path).unwrap();
        content.extend(b"garbage\n\xff\n[\"a\"]\n\"cut");
        fs::write(&path, content).unwrap();
        let (again, noted) = Journal::open(&directory).unwrap();
        let tried: Vec<&str> = noted.keys.iter().map(|key| &**key).collect();
        assert_eq!(tried, ["o", "tree/\"é\"", "tree/a\nb"]);
        let begun: Vec<_> = noted
            .uploads
            .iter()
            .map(|(id, key)| (&**id, &**key))
            .collect();
        assert_eq!(begun, [("a third", "o"), ("an \"id\"", "o")]);
        let beginnings: Vec<_> = noted.beginnings.keys().map(|key| &**key).collect();
        assert_eq!((beginnings, noted.lives), (vec!["o", "tree/x"], 1));
        again.remove();
        assert!(!path.exists());
    }

    /// What is read of this journal.
    fn noted(content: &[u8]) -> JournalNotes {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), content).unwrap();
        let directory = Arc::new(GuardedDirectory::open(dir.path()).unwrap());
        Journal::open(&directory).unwrap().1
    }

    #[test]
    fn a_forged_journal_is_read_as_far_as_one_of_ours_goes() {
        let names = |count: usize| {
            let lines = (0..count).map(|number| format!("\"{number}\"\n"));
            lines.collect::<String>()
        };
        assert_eq!(noted(names(20_000).as_bytes()).keys.len(), 20_000);
        assert_eq!(noted(names(200_000).as_bytes()).keys.len(), 20_000);
        // The same name again takes no room.
        assert_eq!(noted("\"a\"\n".repeat(100_000).as_bytes()).keys.len(), 1);
        let long = |count: usize| {
            let lines = (0..count).map(|number| format!("\"{number:04000}\"\n"));
            lines.collect::<String>()
        };
        let bytes: usize = noted(long(2_000).as_bytes())
            .keys
            .iter()
            .map(|key| key.len())
            .sum();
        assert_eq!(bytes, (4 << 20) / 4_000 * 4_000);
        let uploads = (0..5_000).map(|id| format!("{{\"key\":\"k\",\"upload\":\"{id}\"}}\n"));
        assert_eq!(
            noted(uploads.collect::<String>().as_bytes()).uploads.len(),
            MOST_UPLOADS
        );
        let long = "x".repeat(20_000);
        let uploads = (0..900).map(|id| format!("{{\"key\":\"{long}\",\"upload\":\"{id}\"}}\n"));
        let kept = noted(uploads.collect::<String>().as_bytes()).uploads.len();
        assert!(kept <= (4 << 20) / long.len(), "{kept}");
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_one_is_read() {
        let mut content = b"\"first\"\n\"".to_vec();
        content.resize(10 << 20, b'x');
        content.extend(b"\"\n\"last\"\n");
        let read = noted(&content);
        let keys: Vec<&str> = read.keys.iter().map(|key| &**key).collect();
        assert_eq!(keys, ["first", "last"]);
        // A file without end is not read to its end.
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join(NAME)).unwrap();
        file.set_len(1 << 40).unwrap();
        let directory = Arc::new(GuardedDirectory::open(dir.path()).unwrap());
        assert!(Journal::open(&directory).unwrap().1.keys.is_empty());
    }

    #[test]
    fn a_link_or_a_pipe_in_its_place_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let directory = Arc::new(GuardedDirectory::open(dir.path()).unwrap());
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join(NAME)).unwrap();
        assert!(Journal::open(&directory).is_err());
        fs::remove_file(dir.path().join(NAME)).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o666);
        rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join(NAME), mode).unwrap();
        assert!(Journal::open(&directory).is_err());
    }
}
