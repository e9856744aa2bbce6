//! A main that turns the directories that it shares with us into traps: links, pipes, other directories, while
//! we work in them and with more rights than it has. Nothing outside is read, written or removed.

mod litter;
mod racing;
mod root;
mod stream;
mod traps;

use std::collections::BTreeMap;
use std::fs::{self, FileTimes};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use copilot_tests::task::Task;

/// What is in the files outside. It must appear nowhere else.
const SECRET: &str = "SECRET of the canary";

/// Files outside of the shared directories, and what was known of them at the start.
struct Canary {
    root: PathBuf,
    before: BTreeMap<PathBuf, Seen>,
}

/// All that shows that somebody has touched a file: also its last reading.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    mode: u32,
    inode: u64,
    owner: (u32, u32),
    links: u64,
    modified: (i64, i64),
    read: Option<SystemTime>,
    content: Option<Vec<u8>>,
}

impl Canary {
    /// Makes a tree at `root` that has files of these names, and others.
    fn at(root: &Path, names: &[&str]) -> Self {
        fs::create_dir_all(root).unwrap();
        for name in names.iter().chain(&["passwd", "keep/precious"]) {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{SECRET} in {name}")).unwrap();
        }
        let mut canary = Self {
            root: root.to_owned(),
            before: BTreeMap::new(),
        };
        canary.look();
        canary.before = canary.look();
        canary
    }

    /// What is there now. Afterwards every file looks as if it was read long ago.
    fn look(&self) -> BTreeMap<PathBuf, Seen> {
        let (mut found, mut todo) = (BTreeMap::new(), vec![self.root.clone()]);
        while let Some(path) = todo.pop() {
            let meta = fs::symlink_metadata(&path).unwrap();
            if meta.is_dir() {
                let entries = fs::read_dir(&path).unwrap();
                todo.extend(entries.map(|entry| entry.unwrap().path()));
            }
            let content = meta.is_file().then(|| fs::read(&path).unwrap());
            if meta.is_file() {
                let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
                let file = fs::File::open(&path).unwrap();
                file.set_times(FileTimes::new().set_accessed(long_ago))
                    .unwrap();
            }
            let seen = Seen {
                mode: meta.mode(),
                inode: meta.ino(),
                owner: (meta.uid(), meta.gid()),
                links: meta.nlink(),
                modified: (meta.mtime(), meta.mtime_nsec()),
                // Who lists a directory reads it; only files have secrets.
                read: meta.is_file().then(|| meta.accessed().unwrap()),
                content,
            };
            found.insert(path, seen);
        }
        found
    }

    /// Nobody has touched anything, and nothing of it is in the store or in `others`.
    #[track_caller]
    fn assert_untouched(&self, task: &Task, others: &[&Path]) {
        assert_eq!(self.look(), self.before);
        let stored = task.objects("");
        let local = others
            .iter()
            .flat_map(|other| copilot_tests::task::files(other));
        for (name, content) in stored.into_iter().chain(local) {
            let content = String::from_utf8_lossy(&content);
            assert!(!content.contains(SECRET), "{name}: {content}");
        }
    }
}
