//! The image that `cargo xtask image` packs, in Debian's containerd: it loads, holds what the documents say, and its
//! containers download and upload.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use copilot::idl::{LiteralMap, Message as _, blob_type::BlobDimensionality};
use copilot_tests::binary::run;
use copilot_tests::container::{Image, Pids};
use copilot_tests::containerd::{COPILOT, Containerd, archive};
use copilot_tests::fixture::TaskPod;
use copilot_tests::requirement::{Requirement, pidfds_tell_exit_codes};
use copilot_tests::s3::S3Server;
use copilot_tests::task::blob;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

const BUCKET: &str = "data";

const CONTENT: &str = "It came with the image.\n";

/// A containerd with the image.
fn with_image() -> Containerd {
    let containerd = Containerd::start().unwrap();
    containerd.import(&archive());
    containerd
}

/// Writes a task's inputs, one file, into the directory behind the bucket.
fn put_inputs(bucket: &Path) {
    let letter = blob("s3://data/letter.txt", BlobDimensionality::Single);
    let inputs = LiteralMap {
        literals: [("letter".to_owned(), letter)].into(),
    };
    fs::write(bucket.join("letter.txt"), CONTENT).unwrap();
    fs::write(bucket.join("inputs.pb"), inputs.encode_to_vec()).unwrap();
}

/// The paths of all files and links below a directory, relative to it.
fn files(root: &Path, directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            files(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).unwrap().to_owned());
        }
    }
}

fn sha_256(file: &Path) -> String {
    let ended = run(std::process::Command::new("sha256sum").arg(file));
    ended.stdout.split(' ').next().unwrap().to_owned()
}

#[test]
fn the_image_loads_and_its_entry_point_is_the_program() {
    if !Requirement::Containerd.is_met() {
        return;
    }
    let containerd = with_image();
    let images = containerd.images();
    let image = images.lines().find(|line| line.starts_with(COPILOT));
    let platform = match std::env::consts::ARCH {
        "aarch64" => "linux/arm64",
        _ => "linux/amd64",
    };
    assert!(
        image.is_some_and(|image| image.contains(platform)),
        "{images}"
    );
    let ended = containerd.run(COPILOT, &[], &[]);
    assert_eq!(ended.code(), 2, "{}", ended.stderr);
    let words = "no command given: use one of download";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    // The platform's name of the program is found in the image's PATH.
    let command = ["flyte-copilot", "--version"].map(str::to_owned);
    let ended = containerd.run(COPILOT, &[], &command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains(env!("CARGO_PKG_VERSION")),
        "{ended:?}"
    );
}

#[test]
fn the_image_holds_the_binary_once_certificates_licence_and_components() {
    if !Requirement::Containerd.is_met() {
        return;
    }
    let containerd = with_image();
    let root = tempfile::tempdir().unwrap();
    containerd.unpack(COPILOT, root.path()).unwrap();
    let mut found = Vec::new();
    files(root.path(), root.path(), &mut found);
    found.sort();
    let expected = [
        "bin/copilot",
        "bin/flyte-copilot",
        "copilot",
        "etc/ssl/certs/ca-certificates.crt",
        "usr/share/doc/copilot/LICENSE",
        "usr/share/doc/copilot/copilot.cdx.json",
    ];
    assert_eq!(found, expected.map(PathBuf::from));
    let binary = root.path().join("bin/copilot");
    for name in ["bin/flyte-copilot", "copilot"] {
        let link = root.path().join(name);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "{name}");
        assert_eq!(
            fs::canonicalize(link).unwrap(),
            fs::canonicalize(&binary).unwrap()
        );
    }

    let text = fs::read(root.path().join(expected[3])).unwrap();
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let certificates = certificates.unwrap();
    let count = certificates.len();
    let added = RootCertStore::empty().add_parsable_certificates(certificates);
    assert_eq!(added, (count, 0));
    assert!(count > 50, "{count}");

    let bill = fs::read(root.path().join(expected[5])).unwrap();
    let bill: Value = serde_json::from_slice(&bill).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let hash = &bill["metadata"]["component"]["hashes"][0]["content"];
    assert_eq!(*hash, sha_256(&binary));
}

#[test]
fn a_container_of_the_image_downloads() {
    if !Requirement::Containerd.is_met() {
        return;
    }
    let containerd = with_image();
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    fs::create_dir_all(store.join(BUCKET)).unwrap();
    put_inputs(&store.join(BUCKET));
    let server = S3Server::start(&store).unwrap();
    let inputs = directory.path().join("inputs");
    fs::create_dir(&inputs).unwrap();
    let words = [
        "download",
        "--from-remote=s3://data/inputs.pb",
        "--to-output-prefix=s3://data/out",
        "--to-local-dir=/var/inputs",
    ];
    let words = words.map(str::to_owned).into_iter();
    let command: Vec<String> = ["/copilot".to_owned()]
        .into_iter()
        .chain(server.flags_through(&server.endpoint, BUCKET))
        .chain(words)
        .collect();
    let ended = containerd.run(COPILOT, &[(&inputs, "/var/inputs")], &command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(fs::read_to_string(inputs.join("letter")).unwrap(), CONTENT);
}

/// Runs a task whose downloader and sidecar are containers of the image: of this user, the sidecar with these
/// capabilities. This watcher must see main's end.
fn run_task(user: u32, capabilities: &[&str], watcher: &str) {
    let containerd = with_image();
    let root = tempfile::tempdir().unwrap();
    containerd.unpack(COPILOT, root.path()).unwrap();
    let image = || Image::Unpacked(root.path().to_owned());
    let task = TaskPod::start(Pids::Shared).unwrap();
    put_inputs(task.object("inputs.pb").parent().unwrap());

    let downloader = task.downloader(&task.server().endpoint).unwrap();
    let (id, bundle) = task
        .pod
        .bundle(&downloader.image(image()).user(user))
        .unwrap();
    let ended = containerd.start_bundle(&id, &bundle).wait();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let inputs = task.pod.volume("flyte-inputs").unwrap();
    assert_eq!(fs::read_to_string(inputs.join("letter")).unwrap(), CONTENT);

    let sidecar = task.powerless_sidecar().unwrap();
    let sidecar = sidecar.image(image()).user(user).capabilities(capabilities);
    let (id, bundle) = task.pod.bundle(&sidecar).unwrap();
    let sidecar = containerd.start_bundle(&id, &bundle);
    // The name in our manifests; the sidecar was started by another one.
    sidecar.wait_for_probe(&["/copilot", "ready"]);
    let main = task
        .main("echo hello > /var/outputs/word; sleep 1")
        .unwrap();
    let main = task.pod.run(&main).unwrap();
    assert_eq!(main.wait().unwrap().status.code(), Some(0));
    let outcome = task.outcome_of(sidecar.wait()).unwrap();
    outcome.assert_committed("hello");
    let status = if watcher == "ebpf" || pidfds_tell_exit_codes() {
        "exited with code 0"
    } else {
        "ended (how is not known)"
    };
    outcome.assert_watched(watcher, status);
}

#[test]
fn containers_of_a_user_without_rights_run_a_task() {
    if !Requirement::Containerd.is_met() {
        return;
    }
    run_task(65534, &[], "pidfd");
}

#[test]
fn containers_with_the_capabilities_run_a_task_watched_by_the_kernel() {
    if !Requirement::Containerd.is_met() || !Requirement::Bpf.is_met() {
        return;
    }
    run_task(0, &["BPF", "PERFMON"], "ebpf");
}
