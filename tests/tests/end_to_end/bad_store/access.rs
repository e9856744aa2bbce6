//! Errors of credentials, addresses, certificates, buckets and objects.

use std::process::Command;

use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::flags;
use copilot_tests::minio::{self, MINIO, Minio};
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{RAW, Task, blob, blob_type, interface};
use copilot_tests::tls::{Authority, front};

use super::outlook::{LASTING, PASSING, PLATFORM_LASTING, PLATFORM_PASSING, reported, unreported};

const X: &str = "s3://data/task/in/x";

/// A task whose only input is the file `x`.
fn task() -> Task {
    let task = Task::start().unwrap();
    task.put("task/in/x", "content");
    task.put_inputs([("x", blob(X, Single))]);
    task
}

fn with(mut command: Command, key: &str, value: &str) -> Command {
    command.args(["--storage.stow.config", &format!("{key}={value}")]);
    command
}

/// A download through a proxy.
fn through(task: &Task, proxy: &FaultProxy) -> Command {
    with(task.download(), "endpoint", &proxy.endpoint())
}

/// A proxy that only refuses the input `x`.
fn refusing(task: &Task, fault: Fault) -> FaultProxy {
    let choose = move |seen: &Seen| match seen.line.as_str() {
        "GET /data/task/in/x" => fault.clone(),
        _ => Fault::None,
    };
    FaultProxy::start(task.site.server.address(), choose).unwrap()
}

#[test]
fn a_missing_key() {
    let task = task();
    task.put_inputs([("x", blob("s3://data/task/in/nothing", Single))]);
    let says = [
        "input \"x\"",
        "s3://data/task/in/nothing",
        &task.site.server.endpoint,
        "NoSuchKey",
        "does not exist",
        "Check the reference",
    ];
    reported(&task, &mut task.download(), PASSING, &says);
}

#[test]
fn a_missing_bucket_of_inputs() {
    let task = task();
    task.put_inputs([("x", blob("s3://elsewhere/x", Single))]);
    let mut command = task.download();
    command.arg("--storage.enable-multicontainer");
    let says = [
        "input \"x\"",
        "s3://elsewhere/x",
        &task.site.server.endpoint,
        "NoSuchBucket",
        "Create it",
    ];
    reported(&task, &mut command, LASTING, &says);
}

/// Small and large outputs: nothing is uploaded, and the bucket is not created.
#[test]
fn a_missing_bucket_of_outputs() {
    for size in [10, 20 << 20] {
        let task = Task::start().unwrap();
        task.write_output("o", vec![0; size]);
        let mut arguments = task.sidecar_arguments(&interface([("o", blob_type(Single))]));
        let raw = arguments.iter().position(|word| word == RAW).unwrap();
        "s3://elsewhere/raw".clone_into(&mut arguments[raw]);
        let mut command = copilot_tests::binary::command();
        command
            .args(task.site.server.flags("data"))
            .arg("--storage.enable-multicontainer")
            .args(arguments)
            .arg("--watcher=noop");
        let says = [
            "output \"o\"",
            "s3://elsewhere/raw/o",
            "NoSuchBucket",
            "Create it",
        ];
        reported(&task, &mut command, LASTING, &says);
        assert!(!task.site.server.file("elsewhere", "").exists());
    }
}

#[test]
fn a_wrong_key() {
    let task = task();
    for (key, value, code) in [
        ("secret_key", "not-it", "SignatureDoesNotMatch"),
        ("access_key_id", "who", "NotSignedUp"),
    ] {
        let mut command = with(task.download(), key, value);
        let says = [
            "s3://data/task/inputs.pb",
            &task.site.server.endpoint,
            code,
            "the credentials were not accepted",
            "Check auth_type, access_key_id and secret_key",
        ];
        unreported(&task, &mut command, PLATFORM_LASTING, &says);
    }
}

/// The platform is the cause, and another try helps: tokens are renewed.
#[test]
fn an_expired_token() {
    let task = task();
    let proxy = refusing(&task, Fault::Refuse(400, "ExpiredToken"));
    let says = [
        "input \"x\"",
        X,
        &proxy.endpoint(),
        "ExpiredToken",
        "the credentials were not accepted",
        "Check auth_type",
    ];
    reported(&task, &mut through(&task, &proxy), PLATFORM_PASSING, &says);
}

/// S3 also answers like this for a missing object if the role is not allowed to list.
#[test]
fn no_access() {
    let task = task();
    let proxy = refusing(&task, Fault::Refuse(403, "AccessDenied"));
    let says = [
        X,
        &proxy.endpoint(),
        "AccessDenied",
        "Grant these credentials access",
        "check that it exists",
    ];
    reported(&task, &mut through(&task, &proxy), PLATFORM_LASTING, &says);
}

/// The answer of a server in another region, which names that region.
#[test]
fn a_wrong_region() {
    if !Requirement::Emulator(MINIO).is_met() {
        return;
    }
    let task = task();
    let minio = Minio::start_in("eu-central-7").unwrap();
    let keys = (minio::ACCESS_KEY, minio::SECRET_KEY);
    let flags = flags::s3(&minio.endpoint(), "data", keys);
    let mut command = copilot_tests::binary::command();
    command.args(flags).args(task.download_arguments());
    let says = [
        "s3://data/task/inputs.pb",
        &minio.endpoint(),
        "another region (eu-central-7)",
        "Set region=eu-central-7",
    ];
    unreported(&task, &mut command, PLATFORM_LASTING, &says);
}

/// A certificate for another name, from a trusted authority.
#[test]
fn a_certificate_of_another_name() {
    let task = task();
    let authority = Authority::new("ours").unwrap();
    let config = authority.certify("store.example").unwrap();
    let server = front(task.site.server.address(), config).unwrap();
    let endpoint = format!("https://localhost:{}", server.address().port());
    let trusted = task.site.work("authority.pem");
    std::fs::write(&trusted, authority.pem()).unwrap();
    let mut command = with(task.download(), "endpoint", &endpoint);
    command.env("SSL_CERT_FILE", &trusted);
    let says = [
        "s3://data/task/inputs.pb",
        &endpoint,
        "certificate not valid for name \"localhost\"",
        "correct the endpoint",
    ];
    unreported(&task, &mut command, PLATFORM_LASTING, &says);
}
