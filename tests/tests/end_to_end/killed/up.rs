//! Sidecars that are killed.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::Message as _;
use copilot::idl::TypedInterface;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary::Running;
use copilot_tests::minio::Minio;
use copilot_tests::site::bytes;
use copilot_tests::task::{DOCUMENTS, blob_type, interface};
use rand::RngExt as _;
use rand::rngs::SmallRng;
use rustix::process::Signal;

use super::life::{Kill, live};
use super::world::{Kind, World};

/// In bytes: two parts.
const LARGE: usize = (9 << 20) + 1;

/// Time in which files go up early.
const EARLY: Duration = Duration::from_millis(700);

/// One round's outputs, and how they go up.
struct Round<'a> {
    world: World<'a>,
    is_eager: bool,
    has_large: bool,
    /// The contents that main has left so far, by version.
    versions: Vec<BTreeMap<String, Vec<u8>>>,
    /// Whether a life has said that the store may keep an upload.
    is_told: bool,
}

pub fn play(round: u64, mut random: SmallRng, kind: Kind, minio: Option<&Minio>) -> u64 {
    let mut round = Round {
        world: World::new(round, kind, minio),
        is_eager: random.random_range(0..3) == 0,
        has_large: random.random_range(0..3) == 0,
        versions: Vec::new(),
        is_told: false,
    };
    let mut kills = 0;
    for _ in 0..random.random_range(1..=3) {
        round.main_writes(&mut random);
        let longest = if round.is_eager {
            EARLY * 2
        } else {
            Duration::from_millis(150)
        };
        let kill = Kill::random(&mut random, longest, 16, &round.world);
        let ended = round.live(kill);
        kills += u64::from(ended.status.code().is_none());
        round.note_told(&ended.stderr);
        round.check(&format!("{kill:?}: {}", ended.stderr));
    }
    round.main_writes(&mut random);
    let ended = round.live(Kill::Never);
    let log = format!("{}\n{}", round.described(), ended.stderr);
    round.note_told(&ended.stderr);
    assert_eq!(ended.code(), 0, "{log}");
    let world = &round.world;
    assert_eq!(names(world, "out"), ["outputs.pb"], "{log}");
    assert!(
        Some(&world.objects("raw")) == round.versions.last(),
        "{:?}\n{log}",
        names(world, "raw")
    );
    round.check(&log);
    // The server in process cannot list uploads whose ids were never noted, and a life says so.
    if !round.is_told {
        assert_eq!(world.unfinished(&["raw/large"]), [""; 0], "{log}");
    }
    let journal = world.task.outputs_dir().join(".copilot-early");
    // A life that finds all committed has nothing to note, and no reason to look for notes.
    let is_done = ended.stderr.contains("nothing is left to do");
    assert!(is_done || !journal.exists(), "{log}");
    kills
}

fn names(world: &World<'_>, prefix: &str) -> Vec<String> {
    world.objects(prefix).into_keys().collect()
}

impl Round<'_> {
    fn described(&self) -> String {
        format!(
            "{:?}, eager: {}, large: {}, {} versions",
            self.world.kind,
            self.is_eager,
            self.has_large,
            self.versions.len()
        )
    }

    fn note_told(&mut self, log: &str) {
        let is_listed = self.world.kind != Kind::InProcess;
        let words = "an unfinished multipart upload may remain in the store";
        self.is_told |= !is_listed && log.contains(words);
    }

    /// Main leaves the same outputs as before, or others.
    fn main_writes(&mut self, random: &mut SmallRng) {
        if !self.versions.is_empty() && random.random() {
            return;
        }
        let version = self.versions.len();
        let names = ["f", "d/a", "d/b", "d/sub/c"].map(str::to_owned);
        let mut outputs: BTreeMap<_, _> = names
            .into_iter()
            .chain([format!("d/only-{version}")])
            .map(|name| {
                let content = format!("{name} of version {version}").into_bytes();
                (name, content)
            })
            .collect();
        if self.has_large {
            outputs.insert("large".to_owned(), bytes(LARGE, version as u64));
        }
        self.world.write_outputs(&outputs);
        self.versions.push(outputs);
    }

    fn interface(&self) -> TypedInterface {
        let large = self.has_large.then(|| ("large", blob_type(Single)));
        interface(
            [("d", blob_type(Multipart)), ("f", blob_type(Single))]
                .into_iter()
                .chain(large),
        )
    }

    fn live(&self, kill: Kill) -> copilot_tests::binary::Ended {
        let is_eager = self.is_eager;
        live(
            &self.world,
            kill,
            |endpoint| self.command(endpoint),
            |life| {
                if is_eager {
                    main_ends(life);
                }
            },
        )
    }

    fn command(&self, endpoint: &str) -> Command {
        let world = &self.world;
        let interface = BASE64_STANDARD.encode(self.interface().encode_to_vec());
        let mut command = world.command(endpoint);
        command
            .args(["sidecar", "--interface", &interface])
            .args(["--to-output-prefix", &world.reference("out")])
            .args(["--to-raw-output", &world.reference("raw")])
            .arg("--from-local-dir")
            .arg(world.task.outputs_dir())
            .arg("--logger.level=5");
        if self.is_eager {
            command.args(["--watcher=signal", "--upload-mode=UPLOAD_EAGER"])
        } else {
            command.arg("--watcher=noop")
        };
        command
    }

    /// What a reader believes to be committed is all of one version.
    #[track_caller]
    fn check(&self, log: &str) {
        let out = names(&self.world, "out");
        let failed = DOCUMENTS
            .iter()
            .any(|name| out.iter().any(|found| found == name));
        if failed || !self.world.has("out", "outputs.pb") {
            return;
        }
        let raw = self.world.objects("raw");
        let is_whole = self.versions.contains(&raw);
        let found: BTreeMap<_, _> = raw
            .iter()
            .map(|(name, content)| {
                let head = &content[..content.len().min(40)];
                (name, String::from_utf8_lossy(head))
            })
            .collect();
        assert!(is_whole, "{}: {found:#?}\n{log}", self.described());
    }
}

/// Main has written its files, and ends a little later.
fn main_ends(life: &mut Running) {
    let name = format!("/proc/{}/comm", life.id());
    let watches = || {
        let found = std::fs::read(&name).unwrap_or_default();
        found.trim_ascii_end() == copilot::track::readiness::NAME.to_bytes()
    };
    while life.runs() && !watches() {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(EARLY);
    if life.runs() {
        life.signal(Signal::TERM);
    }
}
