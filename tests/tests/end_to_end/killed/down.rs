//! Downloads that are killed.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{LiteralMap, Message as _, decode_literal_map, primitive};
use copilot_tests::minio::Minio;
use copilot_tests::site::bytes;
use copilot_tests::task::{blob, files};
use rand::RngExt as _;
use rand::rngs::SmallRng;

use super::life::{Kill, live};
use super::world::{Kind, World};

/// In bytes: more than one range.
const LARGE: usize = (9 << 20) + 1;

pub fn play(round: u64, mut random: SmallRng, kind: Kind, minio: Option<&Minio>) -> u64 {
    let world = World::new(round, kind, minio);
    let has_large = random.random_range(0..3) == 0;
    let mut versions: Vec<BTreeMap<String, Vec<u8>>> = Vec::new();
    let mut kills = 0;
    for _ in 0..random.random_range(1..=3) {
        if versions.is_empty() || random.random() {
            versions.push(put_inputs(&world, versions.len(), has_large));
        }
        let kill = Kill::random(&mut random, Duration::from_millis(120), 9, &world);
        let ended = live(&world, kill, |endpoint| command(&world, endpoint), |_| {});
        kills += u64::from(ended.status.code().is_none());
        check(&world, &versions, &format!("{kill:?}: {}", ended.stderr));
    }
    let ended = live(
        &world,
        Kill::Never,
        |endpoint| command(&world, endpoint),
        |_| {},
    );
    assert_eq!(ended.code(), 0, "{kind:?}: {}", ended.stderr);
    check(&world, &versions, &ended.stderr);
    let found = files(&world.task.inputs_dir());
    let expected = versions.last().unwrap();
    let differs = |(name, content): &(&String, &Vec<u8>)| found.get(*name) != Some(*content);
    let differing = expected.iter().filter(differs).count();
    assert_eq!(differing, 0, "{:?}: {}", found.keys(), ended.stderr);
    let left = found
        .keys()
        .filter(|name| name.contains(".copilot-partial"));
    assert_eq!(left.count(), 0, "{:?}: {}", found.keys(), ended.stderr);
    kills
}

/// Puts inputs of a version into the store, and returns the files that they become.
fn put_inputs(world: &World<'_>, version: usize, has_large: bool) -> BTreeMap<String, Vec<u8>> {
    let base = format!("in-{version}");
    let mut inputs = BTreeMap::new();
    for name in ["d/a", "d/b", "d/sub/c", "f"] {
        inputs.insert(
            name.to_owned(),
            format!("{name} of version {version}").into_bytes(),
        );
    }
    if has_large {
        inputs.insert("large".to_owned(), bytes(LARGE, version as u64));
    }
    let mut literals = BTreeMap::new();
    for (name, content) in &inputs {
        world.put(&format!("{base}/{name}"), content);
        if !name.contains('/') {
            let uri = world.reference(&format!("{base}/{name}"));
            literals.insert(name.clone(), blob(&uri, Single));
        }
    }
    let uri = world.reference(&format!("{base}/d"));
    literals.insert("d".to_owned(), blob(&uri, Multipart));
    let value = primitive::Value::StringValue(format!("version {version}"));
    literals.insert("v".to_owned(), value.into());
    let literals = LiteralMap {
        literals: literals.into_iter().collect(),
    };
    world.put("inputs.pb", &literals.encode_to_vec());
    inputs.insert("v".to_owned(), format!("version {version}").into_bytes());
    inputs
}

fn command(world: &World<'_>, endpoint: &str) -> Command {
    let mut command = world.command(endpoint);
    command
        .args(["download", "--from-remote", &world.reference("inputs.pb")])
        .args(["--to-output-prefix", &world.reference("out")])
        .arg("--to-local-dir")
        .arg(world.task.inputs_dir())
        .arg("--logger.level=5");
    command
}

/// `inputs.pb` says that everything is in place: then it is, and of one version.
#[track_caller]
fn check(world: &World<'_>, versions: &[BTreeMap<String, Vec<u8>>], log: &str) {
    let Ok(metadata) = fs::read(world.task.inputs_dir().join("inputs.pb")) else {
        return;
    };
    let found = files(&world.task.inputs_dir());
    // It names the files on disk, so its bytes are not those of the store.
    let metadata = decode_literal_map(&*metadata).unwrap();
    let named = format!("{:?}", metadata.literals["v"]);
    let is_named = |version: &&BTreeMap<String, Vec<u8>>| {
        let value = String::from_utf8_lossy(&version["v"]).into_owned();
        named.contains(&value)
    };
    let version = versions.iter().find(is_named);
    let version = version.unwrap_or_else(|| panic!("{named}: {log}"));
    for (name, content) in version {
        assert!(
            found.get(name) == Some(content),
            "{name}: {:?}\n{log}",
            found.keys()
        );
    }
}
