//! Random changes of an output directory that end at a random moment: the store must then contain exactly
//! the files on disk.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use copilot::beneath::SharedDirectory;
use copilot::config::StorageSettings;
use copilot::idl::VariableMap;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::literal::output::OutputOptions;
use copilot::report::Timeline;
use copilot::store::{Network, Reference, Stores};
use copilot::track::Timestamp;
use copilot::transfer::{Engine, Stop, TransferLimits};
use copilot::upload::{self, Eager, EagerOptions, Outputs, UploadMode};
use copilot_tests::site::{bytes, closed_environment};
use copilot_tests::task::{blob_type, files, interface};
use futures_util::stream::{self, StreamExt as _};
use memmap2::MmapMut;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::mapping::map;

/// The number of runs; `EAGER_RUNS` can change it.
const RUNS: u64 = 1_000;

/// The number of parallel runs: each takes an inotify instance, of which a user has 128.
const AT_ONCE: usize = 60;

/// Small, so that files of several parts are written quickly.
const PIECE: u64 = 64 << 10;

/// A few names for files, so that they often collide.
const NAMES: [&str; 8] = [
    "tree/a",
    "tree/b",
    "tree/d/a",
    "tree/d/e/a",
    "tree/f/a",
    "single",
    "large",
    "tree/large",
];

/// Main: its open and mapped files, and its directory.
struct Main {
    root: PathBuf,
    random: SmallRng,
    open: Vec<File>,
    mapped: Vec<(PathBuf, MmapMut)>,
}

impl Main {
    fn path(&mut self) -> PathBuf {
        let name = NAMES[self.random.random_range(0..NAMES.len())];
        self.root.join(name)
    }

    fn content(&mut self) -> Vec<u8> {
        let length = match self.random.random_range(0..4) {
            0 => 0,
            1 | 2 => 5_000,
            _ => self.random.random_range(0..400_000),
        };
        bytes(length, self.random.random())
    }

    /// A mapped file must not become shorter: writing to the mapping would kill the process.
    fn is_mapped(&self, path: &Path) -> bool {
        self.mapped.iter().any(|(mapped, _)| mapped == path)
    }

    fn live(mut self, steps: u32) {
        for name in ["single", "large"] {
            fs::write(self.root.join(name), self.content()).unwrap();
        }
        fs::create_dir_all(self.root.join("tree")).unwrap();
        for _ in 0..steps {
            self.step();
            let pause = match self.random.random_range(0..10) {
                0 => self.random.random_range(300..700),
                1..4 => self.random.random_range(0..100),
                _ => 0,
            };
            thread::sleep(Duration::from_millis(pause));
        }
        // Sometimes it makes a hidden change in an uploaded file, and ends.
        if self.random.random() {
            thread::sleep(Duration::from_millis(450));
            for _ in 0..3 {
                let path = self.path();
                let _ = self.overwrite(&path);
                let path = self.path();
                let _ = self.set_back(&path);
                let path = self.path();
                let _ = self.map(&path);
                self.write_mapped();
            }
        }
        // Main's end: descriptors and mappings are closed, and single files exist, since outputs must be complete.
        for name in ["single", "large"] {
            if !self.root.join(name).exists() {
                fs::write(self.root.join(name), self.content()).unwrap();
            }
        }
    }

    fn step(&mut self) {
        let path = self.path();
        let parent = path.parent().unwrap();
        let _ = fs::create_dir_all(parent);
        // A step that is not possible (such as for a missing file) is skipped.
        let _ = match self.random.random_range(0..12) {
            0 | 1 => self.write(&path),
            2 | 3 => self.append(&path),
            4 => self.overwrite(&path),
            5 => self.set_back(&path),
            6 => self.map(&path),
            7 => {
                self.write_mapped();
                Ok(())
            }
            8 => self.replace(&path),
            9 => self.rename(&path),
            10 => fs::remove_file(&path),
            _ => {
                self.open.clear();
                self.mapped.clear();
                Ok(())
            }
        };
    }

    fn write(&mut self, path: &Path) -> std::io::Result<()> {
        if self.is_mapped(path) {
            return Ok(());
        }
        let content = self.content();
        fs::write(path, content)
    }

    /// Writes in several steps, and sometimes leaves the file open.
    fn append(&mut self, path: &Path) -> std::io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(&self.content())?;
        if self.random.random_range(0..3) == 0 {
            self.open.push(file);
        }
        Ok(())
    }

    fn overwrite(&mut self, path: &Path) -> std::io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        let at = self.random.random_range(0..5_000);
        file.write_all_at(&bytes(3, at), at)?;
        if self.random.random_range(0..3) == 0 {
            self.open.push(file);
        } else if let Some(file) = self.open.last() {
            file.write_all_at(b"!", at)?;
        }
        Ok(())
    }

    fn set_back(&mut self, path: &Path) -> std::io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        let before = file.metadata()?;
        let at = self.random.random_range(0..5_000);
        file.write_all_at(&bytes(2, at + 7), at)?;
        file.set_times(FileTimes::new().set_modified(before.modified()?))
    }

    fn map(&mut self, path: &Path) -> std::io::Result<()> {
        if fs::metadata(path)?.len() >= 5_000 {
            self.mapped.push((path.to_owned(), map(path)));
        }
        Ok(())
    }

    fn write_mapped(&mut self) {
        let value = self.random.random();
        for (_, mapped) in &mut self.mapped {
            let at = self.random.random_range(0..mapped.len());
            mapped[at] = value;
        }
    }

    fn replace(&mut self, path: &Path) -> std::io::Result<()> {
        let beside = path.with_extension("new");
        fs::write(&beside, self.content())?;
        self.mapped.retain(|(mapped, _)| mapped != path);
        fs::rename(beside, path)
    }

    /// Renames a file or a directory, possibly over another one.
    fn rename(&mut self, path: &Path) -> std::io::Result<()> {
        self.mapped.clear();
        if self.random.random() {
            return fs::rename(self.root.join("tree/d"), self.root.join("tree/g"));
        }
        let to = self.path();
        fs::rename(path, to)
    }
}

/// Runs once; returns what is wrong with the result.
async fn play(seed: u64) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let (outputs, store) = (dir.path().join("outputs"), dir.path().join("store"));
    fs::create_dir_all(&outputs).unwrap();
    fs::create_dir_all(store.join("data")).unwrap();
    let engine = engine(&store);
    let declared = declared();
    let options = OutputOptions::default();
    let directory = &Arc::new(SharedDirectory::at(&outputs));
    let raw = "file://data/raw";
    let commit = Reference::parse("file://data/out/outputs.pb").unwrap();
    let mut eager = Eager::new(
        &EagerOptions {
            declared: &declared,
            directory,
            raw_prefix: Some(raw),
            commit: &commit,
            options,
        },
        &engine,
    )
    .unwrap()
    .unwrap();

    let mut random = SmallRng::seed_from_u64(seed);
    let steps = random.random_range(1..40);
    let main = Main {
        root: outputs.clone(),
        random,
        open: Vec::new(),
        mapped: Vec::new(),
    };
    let main = tokio::task::spawn_blocking(move || main.live(steps));
    tokio::select! {
        ended = main => ended.unwrap(),
        never = eager.run() => match never {},
    }

    let stop = Stop::default();
    let mut early = eager.land(&stop).await;
    let outcome = upload::run(
        &Outputs {
            declared: &declared,
            directory,
            raw_prefix: Some(raw),
            commit: &commit,
            stale: &[],
            options,
            mode: UploadMode::Eager,
        },
        &mut early,
        &engine,
        &stop,
        &mut Timeline::begin(Timestamp::now()),
    )
    .await;
    EARLY.fetch_add(early.settled(), std::sync::atomic::Ordering::Relaxed);
    let (found, expected) = (files(&store.join("data/raw")), files(&outputs));
    let differing: BTreeMap<&String, (Option<usize>, Option<usize>)> = found
        .keys()
        .chain(expected.keys())
        .filter(|name| found.get(*name) != expected.get(*name))
        .map(|name| {
            let length = |of: &BTreeMap<String, Vec<u8>>| of.get(name).map(Vec::len);
            (name, (length(&found), length(&expected)))
        })
        .collect();
    let is_right = outcome.is_ok() && differing.is_empty();
    (!is_right).then(|| format!("seed {seed}: {outcome:?}, differing: {differing:?}"))
}

/// Files that were uploaded before the end, in all runs: otherwise the test would prove nothing.
static EARLY: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

fn declared() -> VariableMap {
    let outputs = interface([
        ("tree", blob_type(Multipart)),
        ("single", blob_type(Single)),
        ("large", blob_type(Single)),
    ]);
    outputs.outputs.unwrap()
}

fn engine(store: &Path) -> Engine {
    let settings = StorageSettings {
        store_type: "local".to_owned(),
        stow_config: [("path".to_owned(), store.display().to_string())].into(),
        container: "data".to_owned(),
        ..StorageSettings::default()
    };
    let stores = Stores::new(settings, Network::default(), closed_environment());
    let limits = TransferLimits {
        part_size: PIECE,
        ..TransferLimits::within(None)
    };
    Engine::new(Arc::new(stores), limits)
}

#[tokio::test]
async fn the_store_contains_the_final_files_whatever_main_does() {
    let runs = std::env::var("EAGER_RUNS")
        .ok()
        .and_then(|runs| runs.parse().ok());
    let runs: u64 = runs.unwrap_or(RUNS);
    let first = rand::random_range(0..u64::MAX / 2);
    let wrong: Vec<String> = stream::iter(first..first + runs)
        .map(play)
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(wrong.is_empty(), "{} of {runs}: {wrong:#?}", wrong.len());
    let early = EARLY.load(std::sync::atomic::Ordering::Relaxed);
    assert!(early > runs / 4, "{early}: hardly anything went up early");
}
