//! The argument vectors that the platforms of four generations pass (spec §2.2), for both
//! containers, end to end: inputs are downloaded, main runs, outputs are uploaded.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::Command;

use copilot::idl::blob_type::BlobDimensionality;
use copilot::idl::{SimpleType, TypedInterface, primitive};
use copilot_tests::binary::{self, Running};
use copilot_tests::pod::Pod;
use copilot_tests::requirement::Requirement;
use copilot_tests::s3::S3Server;
use copilot_tests::task::{Task, blob, blob_type, interface, simple};
use rustix::process::Signal;

/// A generation of the platform.
struct Platform {
    name: &'static str,
    /// Its root flags.
    root: fn(&S3Server, &Path) -> Vec<String>,
    /// Its additional arguments for the downloader.
    download: &'static [&'static str],
    /// Its timeout for the uploader.
    timeout: [&'static str; 2],
}

const PLATFORMS: &[Platform] = &[
    Platform {
        name: "head, stow keys",
        root: |server, _| [limits(server, "stow"), keys(server, &[]), kind()].concat(),
        download: &["--file-input-layout", "DIRECT"],
        timeout: ["--timeout", "1h0m0s"],
    },
    Platform {
        name: "head, a secret",
        root: |server, place| [limits(server, "stow"), secret(server, place)].concat(),
        download: &["--file-input-layout", "DIRECT"],
        timeout: ["--timeout", "1h0m0s"],
    },
    Platform {
        name: "head, a secret and an override of it",
        root: |server, place| {
            let secret = secret(server, place);
            let wrong = fs::read_to_string(place.join("storage.yaml")).unwrap();
            let wrong = wrong.replace(&server.secret_key, "an-older-key");
            fs::write(place.join("storage.yaml"), wrong).unwrap();
            [limits(server, "stow"), secret, keys(server, &[]), kind()].concat()
        },
        download: &["--file-input-layout", "DIRECT"],
        timeout: ["--timeout", "1h0m0s"],
    },
    Platform {
        name: "maintenance, stow keys",
        root: |server, _| {
            // The legacy mapping writes it like this; TLS is off because of the endpoint's scheme.
            let more = [("disable_ssl", "True"), ("v2_signing", "false")];
            [limits(server, "stow"), keys(server, &more), kind()].concat()
        },
        download: &[],
        timeout: ["--timeout", "1h0m0s"],
    },
    Platform {
        name: "maintenance, a connection",
        root: |server, _| [limits(server, "s3"), connection(server)].concat(),
        download: &[],
        timeout: ["--timeout", "1h0m0s"],
    },
    Platform {
        name: "before signals, minio",
        root: |server, _| [limits(server, "minio"), connection(server)].concat(),
        download: &[],
        timeout: ["--start-timeout", "1m40s"],
    },
    Platform {
        name: "the first one, a map of files",
        root: |server, place| {
            // A ConfigMap below `/etc/flyte/config-data`, found by `/etc/flyte/config**/*`.
            let below = place.join("config-data");
            fs::create_dir(&below).unwrap();
            fs::write(below.join("config.yaml"), legacy(server)).unwrap();
            vec![
                "--config".to_owned(),
                format!("{}/config**/*", place.display()),
            ]
        },
        download: &[],
        timeout: ["--start-timeout", "1m0s"],
    },
];

/// The first flags of all generations since the maintenance branch.
fn limits(_: &S3Server, store_type: &str) -> Vec<String> {
    vec![
        "--storage.limits.maxDownloadMBs=0".to_owned(),
        "--logger.level=4".to_owned(),
        "--storage.enable-multicontainer".to_owned(),
        "--storage.container=data".to_owned(),
        format!("--storage.type={store_type}"),
    ]
}

/// Two elements for each key; the platform reads them from a map, so their order varies.
fn keys(server: &S3Server, more: &[(&str, &str)]) -> Vec<String> {
    let pairs = [
        ("secret_key", server.secret_key.as_str()),
        ("endpoint", &server.endpoint),
        ("auth_type", "accesskey"),
        ("region", "us-east-1"),
        ("access_key_id", &server.access_key),
    ];
    let pairs = pairs.iter().chain(more);
    let pairs =
        pairs.map(|(key, value)| ["--storage.stow.config".to_owned(), format!("{key}={value}")]);
    pairs.flatten().collect()
}

fn kind() -> Vec<String> {
    vec!["--storage.stow.kind=s3".to_owned()]
}

/// A Secret as a volume: the pattern is passed unchanged, without a shell that would expand it.
fn secret(server: &S3Server, place: &Path) -> Vec<String> {
    let text = format!(
        "storage:\n  type: stow\n  container: data\n  stow:\n    kind: s3\n    config:\n      \
         auth_type: accesskey\n      access_key_id: {}\n      secret_key: {}\n      endpoint: {}\n      \
         region: us-east-1\n      disable_ssl: true\n",
        server.access_key, server.secret_key, server.endpoint
    );
    fs::write(place.join("storage.yaml"), text).unwrap();
    fs::write(place.join("notes.txt"), "not: [read").unwrap();
    vec!["--config".to_owned(), format!("{}/*.yaml", place.display())]
}

fn connection(server: &S3Server) -> Vec<String> {
    vec![
        format!("--storage.connection.secret-key={}", server.secret_key),
        format!("--storage.connection.access-key={}", server.access_key),
        "--storage.connection.auth-type=accesskey".to_owned(),
        "--storage.connection.region=us-east-1".to_owned(),
        format!("--storage.connection.endpoint={}", server.endpoint),
    ]
}

fn legacy(server: &S3Server) -> String {
    format!(
        "storage:\n  type: s3\n  container: data\n  connection:\n    auth-type: accesskey\n    \
         access-key: {}\n    secret-key: {}\n    endpoint: {}\n    region: us-east-1\n",
        server.access_key, server.secret_key, server.endpoint
    )
}

/// The inputs: a number, a file, a directory.
fn put_inputs(task: &Task) {
    task.put("task/in/file.csv", "a,b\n");
    task.put("task/in/dir/one", "1");
    task.put("task/in/dir/sub/two", "22");
    task.put_inputs([
        ("n", primitive::Value::Integer(7).into()),
        (
            "f",
            blob("s3://data/task/in/file.csv", BlobDimensionality::Single),
        ),
        (
            "d",
            blob("s3://data/task/in/dir", BlobDimensionality::Multipart),
        ),
    ]);
}

/// What main does with them.
const MAIN: &str = r#"
in=$0 out=$1
echo $(($(cat "$in/n") * 6)) > "$out/answer"
cp -r "$in/d" "$out/tree"
"#;

fn declared() -> TypedInterface {
    interface([
        ("answer", simple(SimpleType::Integer)),
        ("tree", blob_type(BlobDimensionality::Multipart)),
    ])
}

fn main_program(task: &Task, mut shell: Command) -> Running {
    shell
        .args(["-c", MAIN])
        .arg(task.inputs_dir())
        .arg(task.outputs_dir());
    Running::start(&mut shell)
}

/// Runs as a native sidecar: it starts before main, and kubelet's SIGTERM follows main's end.
fn upload(task: &Task, arguments: &[String]) -> binary::Ended {
    // Without a pod there is no main to watch, so the sidecar depends on SIGTERM.
    let pod = Requirement::Cgroups
        .could_be_met()
        .then(|| Pod::create().unwrap());
    let container = |name: &str, program: &Path| match &pod {
        Some(pod) => pod.command(name, program).unwrap(),
        None => Command::new(program),
    };
    let mut command = container("uploader", &binary::path());
    binary::isolate(&mut command);
    let mut sidecar = Running::start(command.args(arguments));
    sidecar.watches();
    let main = main_program(task, container("main", Path::new("/bin/sh")));
    assert_eq!(main.ended().code(), 0);
    sidecar.signal(Signal::TERM);
    sidecar.ended()
}

fn check(platform: &Platform) {
    let name = platform.name;
    let task = Task::start().unwrap();
    put_inputs(&task);
    let place = task.site.work("etc");
    fs::create_dir(&place).unwrap();
    let root = (platform.root)(&task.site.server, &place);

    let more = ["--format", "JSON", "--input-interface", "CgA="];
    let more = more
        .iter()
        .chain(platform.download)
        .map(|word| (*word).to_owned());
    let arguments: Vec<String> = root
        .iter()
        .cloned()
        .chain(task.download_arguments())
        .chain(more)
        .collect();
    let ended = binary::run(binary::command().args(&arguments));
    assert_eq!(ended.code(), 0, "{name}: {}", ended.stderr);
    let inputs = task.inputs_dir();
    assert_eq!(fs::read_to_string(inputs.join("n")).unwrap(), "7", "{name}");
    assert_eq!(
        fs::read_to_string(inputs.join("f")).unwrap(),
        "a,b\n",
        "{name}"
    );
    assert_eq!(
        fs::read_to_string(inputs.join("inputs.json")).unwrap(),
        format!(r#"{{"d":"{0}/d","f":"{0}/f","n":7}}"#, inputs.display()),
        "{name}"
    );

    let mut sidecar = task.sidecar_arguments(&declared());
    // Its position among the flags.
    sidecar.splice(1..1, platform.timeout.map(str::to_owned));
    let arguments: Vec<String> = root.into_iter().chain(sidecar).collect();
    let ended = upload(&task, &arguments);
    assert_eq!(ended.code(), 0, "{name}: {}", ended.stderr);
    let outputs = task.outputs().unwrap();
    assert_eq!(
        outputs.literals["answer"],
        primitive::Value::Integer(42).into(),
        "{name}"
    );
    assert_eq!(
        outputs.literals["tree"],
        blob("s3://data/task/raw/tree", BlobDimensionality::Multipart),
        "{name}"
    );
    let tree = task.objects("task/raw/tree");
    assert_eq!(tree["one"], b"1", "{name}");
    assert_eq!(tree["sub/two"], b"22", "{name}");
    assert_eq!(tree.len(), 2, "{name}");
    let secret = &task.site.server.secret_key;
    assert!(!ended.stderr.contains(secret), "{name}: {}", ended.stderr);
}

#[test]
fn every_generation_of_the_platform() {
    for platform in PLATFORMS {
        check(platform);
    }
}

/// Forms that never worked are refused, and the message names them.
#[test]
fn one_flag_with_several_keys_and_a_comma_is_refused() {
    let task = Task::start().unwrap();
    put_inputs(&task);
    for form in [
        vec!["--storage.stow.config=auth_type=accesskey,region=us-east-1,"],
        vec!["--storage.stow.config auth_type=accesskey,"],
    ] {
        let mut command = binary::command();
        command.args(&form).args(task.download_arguments());
        let ended = binary::run(&mut command);
        assert_eq!(ended.code(), 2, "{form:?}: {}", ended.stderr);
        assert!(
            ended.message().contains("--storage.stow.config"),
            "{}",
            ended.stderr
        );
    }
}

/// In the reference the last one on the command line wins; upstream's fix lets `--timeout` win.
#[test]
fn an_expired_timeout_is_reported() {
    let task = Task::start().unwrap();
    task.write_output("n", "1");
    let declared = interface([("n", simple(SimpleType::Integer))]);
    let ended =
        binary::run(
            task.sidecar(&declared)
                .args(["--timeout", "1ns", "--start-timeout", "1h"]),
        );
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let document = task.document("error.pb").unwrap();
    assert!(
        document.message.contains("--timeout"),
        "{}",
        document.message
    );
    assert_eq!(task.outputs(), None);
    // Without the flag: an hour, as the reference's help says; the reference itself has no limit then.
    let ended = binary::run(&mut task.sidecar(&declared));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
}
