//! `copilot doctor` names the true cause in prepared environments, and says what works where all is well.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, SystemTime};

use copilot::idl::SimpleType;
use copilot_tests::background::Background;
use copilot_tests::binary::{self, Ended};
use copilot_tests::fixture::{CgroupFixture, enter};
use copilot_tests::refused_call::Refused;
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{INPUTS, OUTPUTS, RAW, Task, interface, simple};
use copilot_tests::{flags, namespace};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What `doctor` found.
struct Diagnosis {
    ended: Ended,
    json: Value,
}

impl Diagnosis {
    /// Runs a command that has `doctor` and its flags.
    fn of(command: &mut Command) -> Self {
        let ended = binary::run(command.arg("--json"));
        let json = serde_json::from_str(&ended.stdout);
        let json = json.unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        let exit = match &json {
            Value::Object(members) => members["verdict"].as_str().unwrap_or_default().to_owned(),
            other => panic!("{other}"),
        };
        let code = match exit.as_str() {
            "ok" => 0,
            "degraded" => 1,
            _ => 2,
        };
        assert_eq!(ended.code(), code, "{exit}: {}", ended.stderr);
        Self { ended, json }
    }

    /// A finding with this beginning of its subject has this verdict, and all of these words.
    #[track_caller]
    fn has(&self, subject: &str, verdict: &str, words: &[&str]) {
        let findings = self.json["findings"].as_array().expect("a list");
        let found = findings.iter().any(|finding| {
            let line = finding.to_string();
            let begins = finding["subject"]
                .as_str()
                .is_some_and(|it| it.starts_with(subject));
            begins && finding["verdict"] == verdict && words.iter().all(|word| line.contains(word))
        });
        assert!(
            found,
            "{verdict} {subject} {words:?}: {}",
            self.ended.stdout
        );
    }
}

/// Takes capabilities away: what is left is a user without any, who has the number 0.
const WITHOUT_CAPABILITIES: [&str; 4] = [
    "/usr/bin/setpriv",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--no-new-privs",
];

/// `copilot doctor` in the sidecar's container of a pod, through another program.
fn in_pod(fixture: &CgroupFixture, through: &[&str]) -> Command {
    let program = binary::path();
    let words = [through, &[program.to_str().expect("a path of text")]].concat();
    let mut command = enter(&fixture.pod, "sidecar", words[0].into());
    command.args(&words[1..]).arg("doctor");
    command
}

#[test]
fn where_all_is_well_the_sidecars_own_command_line_shows_it() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let _main = fixture.main("exec sleep 300");
    let outputs = interface([("word", simple(SimpleType::String))]);
    let mut command = in_pod(&fixture, &[]);
    let mut arguments = fixture.task.sidecar_arguments(&outputs);
    assert_eq!(arguments.remove(0), "sidecar");
    command
        .args(fixture.task.site.server.flags("data"))
        .args(arguments)
        .arg("--probe");
    let found = Diagnosis::of(&mut command);
    assert_ne!(found.json["verdict"], "fails", "{}", found.ended.stdout);
    found.has("capabilities", "ok", &["BPF", "PERFMON"]);
    found.has("capabilities after the attach", "ok", &["effective"]);
    found.has("cgroups", "ok", &["version 2", "/pod"]);
    found.has("selected", "ok", &["--watcher auto takes"]);
    found.has("main", "ok", &["main", "by elimination"]);
    found.has("--to-output-prefix", "ok", &["nothing is there yet"]);
    found.has("clock of http://127.0.0.1", "ok", &["agree"]);
    for step in ["write", "read", "delete"] {
        found.has(&format!("probe: {step}"), "ok", &["copilot-doctor-"]);
    }
    found.has(
        "storage.stow.config.secret_key",
        "ok",
        &["(hidden)", "its flag"],
    );
    let secret = &fixture.task.site.server.secret_key;
    assert!(!found.ended.stdout.contains(secret.as_str()));
    assert!(
        fixture.task.objects("task/out").is_empty(),
        "the probe leaves nothing"
    );
}

#[test]
fn a_pid_namespace_of_its_own() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let unshare = ["/usr/bin/unshare", "--pid", "--fork", "--mount-proc"];
    let through = [&unshare[..], &WITHOUT_CAPABILITIES].concat();
    let found = Diagnosis::of(&mut in_pod(&fixture, &through));
    found.has(
        "pid namespace",
        "degraded",
        &["of this container alone", "shareProcessNamespace: true"],
    );
    found.has("selected", "degraded", &["takes signal", "SIGTERM"]);
}

#[test]
fn a_cgroup_that_is_no_pods() {
    let mut command = binary::command();
    command.env_remove("KUBERNETES_SERVICE_HOST").arg("doctor");
    let found = Diagnosis::of(&mut command);
    found.has(
        "pod",
        "degraded",
        &["--pod-cgroup", "not a pod of Kubernetes", "only SIGTERM"],
    );
}

#[test]
fn missing_capabilities() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let found = Diagnosis::of(&mut in_pod(&fixture, &WITHOUT_CAPABILITIES));
    found.has(
        "capabilities",
        "degraded",
        &["BPF and PERFMON are missing", "runAsUser: 0"],
    );
    found.has("ebpf", "degraded", &["CAP_BPF and CAP_PERFMON"]);
    found.has("files of other users", "degraded", &["DAC_READ_SEARCH"]);
    found.has("selected", "ok", &["takes pidfd"]);
}

#[test]
fn a_seccomp_profile_that_refuses_bpf() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let mut command = in_pod(&fixture, &[]);
    let profile = Refused::altogether(&[libc::SYS_bpf], libc::EPERM);
    // SAFETY: between fork and exec it makes one system call and allocates nothing.
    unsafe { command.pre_exec(move || profile.install()) };
    let found = Diagnosis::of(&mut command);
    found.has(
        "seccomp",
        "degraded",
        &["the container's filter refuses bpf", "RuntimeDefault"],
    );
    found.has("capabilities", "ok", &["BPF"]);
    found.has("ebpf", "degraded", &["seccomp profile refuses it"]);
}

#[test]
fn a_kernel_without_btf() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let hide =
        r#"mount -t tmpfs none /sys/kernel/btf 2>&1 || mount -t tmpfs none /sys/kernel; exec "$@""#;
    let through = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", hide, "sh"];
    let found = Diagnosis::of(&mut in_pod(&fixture, &through));
    found.has(
        "BTF",
        "degraded",
        &[
            "/sys/kernel/btf/vmlinux cannot be read",
            "CONFIG_DEBUG_INFO_BTF",
        ],
    );
}

#[test]
fn a_proc_that_hides_processes() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let hide = r#"mount -t proc -o hidepid=2 proc /proc && exec "$@""#;
    let unshare = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", hide, "sh"];
    let through = [&unshare[..], &WITHOUT_CAPABILITIES].concat();
    let found = Diagnosis::of(&mut in_pod(&fixture, &through));
    found.has("/proc", "degraded", &["hidepid", "without hidepid"]);
    found.has("pidfd", "degraded", &["hidepid"]);
}

/// Answers each request with a refusal, and with a clock that is an hour behind.
fn late_store() -> Background {
    let date = httpdate::fmt_http_date(SystemTime::now() - Duration::from_hours(1));
    Background::start("late-store", move |mut connection| {
        let date = date.clone();
        async move {
            let mut request = [0; 4096];
            while connection
                .read(&mut request)
                .await
                .is_ok_and(|read| read > 0)
            {
                let answer =
                    format!("HTTP/1.1 403 Forbidden\r\ndate: {date}\r\ncontent-length: 0\r\n\r\n");
                if connection.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .expect("the server starts")
}

#[test]
fn a_clock_that_is_an_hour_off() {
    let store = late_store();
    let endpoint = format!("http://{}", store.address());
    let mut command = binary::command();
    command
        .args(flags::s3(&endpoint, "data", ("key", "secret-of-the-key")))
        .args(["doctor", "--from-remote", INPUTS]);
    let found = Diagnosis::of(&mut command);
    assert_eq!(found.json["verdict"], "fails");
    found.has(
        "clock of",
        "fails",
        &["our clock is 36", "s ahead of the store's", "NTP"],
    );
}

#[test]
fn a_wrong_key() {
    let task = Task::start().expect("the task's server starts");
    let mut command = binary::command();
    command
        .args(task.site.server.flags("data"))
        .args(["--storage.stow.config", "secret_key=not-the-key"])
        .args([
            "doctor",
            "--to-output-prefix",
            OUTPUTS,
            "--to-raw-output",
            RAW,
        ]);
    let found = Diagnosis::of(&mut command);
    assert_eq!(found.json["verdict"], "fails");
    found.has("clock of", "ok", &["agree"]);
    for flag in ["--to-output-prefix", "--to-raw-output"] {
        found.has(
            flag,
            "fails",
            &["credentials were not accepted", "secret_key"],
        );
    }
    let probed = Diagnosis::of(command.arg("--probe"));
    probed.has(
        "probe: write",
        "fails",
        &["credentials were not accepted", "secret_key"],
    );
    assert!(!probed.ended.stdout.contains("not-the-key"));
}

#[test]
fn a_tmpfs_that_is_too_small() {
    if !Requirement::Mounts.is_met() {
        return;
    }
    let task = Task::start().expect("the task's server starts");
    let inputs = task.inputs_dir();
    fs::create_dir_all(&inputs).expect("the directory can be made");
    let on_a_tmpfs = |size: &str| {
        let script = r#"mount -t tmpfs -o size=128k none "$0" && exec "$@""#;
        let mut command = Command::new("unshare");
        binary::isolate(&mut command);
        command
            .args(namespace::unshare().expect("mounts are possible"))
            .args(["/bin/sh", "-c", script])
            .arg(&inputs)
            .arg(binary::path())
            .args(["doctor", "--to-local-dir"])
            .arg(&inputs)
            .args(["--expect-size", size]);
        Diagnosis::of(&mut command)
    };
    let found = on_a_tmpfs("1Mi");
    assert_eq!(found.json["verdict"], "fails");
    found.has(
        "room of --to-local-dir",
        "fails",
        &[
            "1.00 MiB do not fit",
            "the tmpfs at",
            "128 KiB",
            "sizeLimit",
        ],
    );
    on_a_tmpfs("64Ki").has("room of --to-local-dir", "ok", &["64.0 KiB fit"]);
}

#[test]
fn a_manifest_without_a_startup_probe() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("pod.json");
    let plain = include_str!("../../fixtures/flyte/t-r.json");
    let mut pod: Value = serde_json::from_str(plain).expect("a pod");
    let judge = |pod: &Value| {
        fs::write(&path, pod.to_string()).expect("the file can be written");
        Diagnosis::of(binary::command().args(["doctor", "--pod"]).arg(&path))
    };
    let well = judge(&pod);
    assert_eq!(well.json["verdict"], "ok", "{}", well.ended.stdout);
    let uploader = &mut pod["spec"]["initContainers"][0];
    let removed = uploader
        .as_object_mut()
        .and_then(|members| members.remove("startupProbe"));
    assert!(removed.is_some());
    judge(&pod).has(
        "startup probe",
        "degraded",
        &["it is missing", "/copilot, ready"],
    );
}

#[test]
fn wrong_usage_is_refused_as_the_sidecar_refuses_it() {
    for (arguments, words) in [
        (&["--pod", "/no/such/file"][..], "cannot be read"),
        (&["--watcher", "ebfp"], "did you mean ebpf?"),
        (&["--prob"], "--probe"),
    ] {
        let ended = binary::run(binary::command().arg("doctor").args(arguments));
        assert_eq!(ended.code(), 2, "{}", ended.stderr);
        assert!(
            ended.message().contains(words),
            "{arguments:?}: {}",
            ended.stderr
        );
        assert!(ended.stdout.is_empty(), "{}", ended.stdout);
    }
}
