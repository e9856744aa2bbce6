//! Pods that Flyte builds, and pods with one mistake.

use std::ffi::OsString;

use super::manifest::Manifest;
use super::*;
use crate::command::Invocation;
use crate::doctor::{Diagnosis, Verdict};

/// The reader that the command line gives.
fn reader() -> ArgumentReader {
    let words = ["copilot", "doctor", "--pod", "x"].map(OsString::from);
    match crate::cli::parse(words) {
        Ok(Invocation::Doctor(_, request)) => request.read_arguments,
        other => panic!("{other:?}"),
    }
}

fn judged(text: &str) -> Diagnosis {
    let manifest = Manifest::parse(text).unwrap();
    Diagnosis::new(judge::judge(&manifest, reader()))
}

#[track_caller]
fn assert_found(diagnosis: &Diagnosis, expected: &[(&str, Verdict, &str)]) {
    let text = diagnosis.text();
    for (subject, verdict, words) in expected {
        let found = diagnosis.findings().iter().any(|finding| {
            let line = format!("{} {:?} {:?}", finding.found, finding.cost, finding.remedy);
            finding.subject.starts_with(subject)
                && finding.verdict == *verdict
                && line.contains(words)
        });
        assert!(found, "{verdict:?} {subject}: {words}\n{text}");
    }
}

macro_rules! flyte {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fixtures/flyte/",
            $name,
            ".json"
        ))
    };
}

#[test]
fn a_pod_with_the_template_has_all_that_ebpf_needs() {
    for text in [flyte!("t-r"), flyte!("v2-r")] {
        let diagnosis = judged(text);
        assert_eq!(diagnosis.verdict(), Verdict::Ok, "{}", diagnosis.text());
        assert_found(
            &diagnosis,
            &[
                ("watcher", Verdict::Ok, "ebpf"),
                ("startup probe", Verdict::Ok, "attached"),
                (
                    "who is main",
                    Verdict::Ok,
                    "f1a2b3-n0-0 (named as Flyte names",
                ),
                ("grace period", Verdict::Ok, "3600"),
                (
                    "--from-local-dir /var/flyte/outputs",
                    Verdict::Ok,
                    "flyte-outputs",
                ),
                (
                    "--to-local-dir /var/flyte/inputs",
                    Verdict::Ok,
                    "flyte-inputs",
                ),
            ],
        );
    }
}

/// The Job that `deploy/` has for people without Flyte.
#[test]
fn the_job_without_flyte_has_all_that_ebpf_needs() {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/job.yaml"));
    let diagnosis = judged(text);
    for finding in diagnosis.findings() {
        assert_eq!(finding.verdict, Verdict::Ok, "{}", diagnosis.text());
    }
    assert_found(
        &diagnosis,
        &[
            ("arguments", Verdict::Ok, "upload takes them"),
            ("arguments", Verdict::Ok, "download takes them"),
            ("watcher", Verdict::Ok, "ebpf"),
            ("startup probe", Verdict::Ok, "attached"),
            ("who is main", Verdict::Ok, "main"),
            ("outputs of main's user", Verdict::Ok, "may read"),
            ("--from-local-dir /var/outputs", Verdict::Ok, "outputs"),
            ("--to-local-dir /var/inputs", Verdict::Ok, "inputs"),
            ("grace period", Verdict::Ok, "3600"),
        ],
    );
    // A mistake in it is found.
    let wrong = text.replace(
        "--to=s3",
        "--to-output-prefix=s3://b/o\n          - --to=s3",
    );
    assert_found(
        &judged(&wrong),
        &[("arguments", Verdict::Fails, "--to works without Flyte")],
    );
}

#[test]
fn a_plain_pod_of_flyte_has_only_sigterm() {
    // The template beside another prefix has no effect, and nothing says so.
    for text in [flyte!("a"), flyte!("c1"), flyte!("t-bpf-prefix")] {
        let diagnosis = judged(text);
        assert_eq!(
            diagnosis.verdict(),
            Verdict::Degraded,
            "{}",
            diagnosis.text()
        );
        assert_found(
            &diagnosis,
            &[
                ("watcher", Verdict::Degraded, "signal"),
                ("capabilities", Verdict::Degraded, "BPF and PERFMON"),
                ("startup probe", Verdict::Degraded, "it is missing"),
                ("pid namespace", Verdict::Degraded, "shareProcessNamespace"),
                ("kind", Verdict::Ok, "native sidecar"),
            ],
        );
    }
}

#[test]
fn old_forms_of_flyte_are_known() {
    assert_found(
        &judged(flyte!("o-a")),
        &[
            ("kind", Verdict::Degraded, "an ordinary container"),
            ("watcher", Verdict::Degraded, "pidfd"),
            ("rights", Verdict::Degraded, "SYS_PTRACE"),
        ],
    );
    assert_found(&judged(flyte!("o-t")), &[("watcher", Verdict::Ok, "ebpf")]);
    assert_found(
        &judged(flyte!("t-stream")),
        &[("kind", Verdict::Ok, "main starts when it is ready")],
    );
}

const DEPLOYED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/pod.yaml"));

/// The example, with an interface of one number.
fn example() -> String {
    DEPLOYED.replace("BASE64-OF-TYPED-INTERFACE", "EgkKBwoBbxICCgA=")
}

#[test]
fn our_own_example_is_well() {
    let diagnosis = judged(&example());
    assert_eq!(diagnosis.verdict(), Verdict::Ok, "{}", diagnosis.text());
}

/// What is wrong, the words that make it so, and the finding.
type Mistake = (
    &'static str,
    &'static str,
    &'static str,
    (&'static str, Verdict, &'static str),
);

#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    ("no sidecar that stays", "    restartPolicy: Always # a native sidecar\n", "",
        ("kind", Verdict::Fails, "the pod hangs")),
    ("no startup probe", "startupProbe:", "livenessProbe:",
        ("startup probe", Verdict::Degraded, "without waiting for the watcher")),
    ("another probe", "exec: {command: [/copilot, ready]}", "httpGet: {port: 80}",
        ("startup probe", Verdict::Degraded, "not `copilot ready`")),
    ("a short probe", "failureThreshold: 60", "failureThreshold: 3",
        ("startup probe", Verdict::Degraded, "restarts the sidecar after 3 s")),
    ("no capabilities", "add: [BPF, PERFMON, DAC_READ_SEARCH]", "add: [DAC_READ_SEARCH]",
        ("capabilities", Verdict::Degraded, "not added")),
    ("another user", "runAsUser: 0", "runAsUser: 1000",
        ("capabilities", Verdict::Degraded, "the user is 1000")),
    ("two users at once", "runAsUser: 0", "runAsNonRoot: true\n      runAsUser: 0",
        ("user", Verdict::Fails, "kubelet refuses")),
    ("users of its own", "  restartPolicy: Never\n", "  restartPolicy: Never\n  hostUsers: false\n",
        ("capabilities", Verdict::Degraded, "hostUsers: true")),
    ("a profile", "allowPrivilegeEscalation: false",
        "allowPrivilegeEscalation: false\n      seccompProfile: {type: Localhost, localhostProfile: p.json}",
        ("seccomp", Verdict::Degraded, "p.json")),
    ("foreign files", ", DAC_READ_SEARCH]", "]",
        ("outputs of main's user", Verdict::Degraded, "mode 0600")),
    ("no shared pids, no rights", "shareProcessNamespace: true", "shareProcessNamespace: false",
        ("pid namespace", Verdict::Ok, "which ebpf does not mind")),
    ("a short grace period", "terminationGracePeriodSeconds: 3600", "terminationGracePeriodSeconds: 30",
        ("grace period", Verdict::Degraded, "terminationGracePeriodSeconds: 3600")),
    ("restarts of main", "  restartPolicy: Never\n", "",
        ("restart policy", Verdict::Degraded, "Always, by default")),
    ("little memory", "limits: {cpu: 500m, memory: 128Mi}", "limits: {cpu: 500m, memory: 32Mi}",
        ("memory limit", Verdict::Degraded, "OOM killer")),
    ("another directory", "--from-local-dir=/var/flyte/outputs", "--from-local-dir=/var/outputs",
        ("--from-local-dir", Verdict::Fails, "mounts no volume there")),
    ("another volume", "- {name: flyte-outputs, mountPath: /var/flyte/outputs}",
        "- {name: storage, mountPath: /var/flyte/outputs}",
        ("--from-local-dir", Verdict::Fails, "does not mount the volume storage")),
    ("a wrong flag", "--timeout=1h", "--timeuot=1h",
        ("arguments", Verdict::Fails, "did you mean --timeout?")),
    ("a name of our own", "- name: my-task-n0-0 # Flyte", "- name: work # Flyte",
        ("who is main", Verdict::Ok, "it mounts the output directory")),
    ("a watcher that shows no process", "    - sidecar\n", "    - sidecar\n    - --watcher=signal\n",
        ("watcher", Verdict::Ok, "signal, as --watcher says")),
    ("a flag that the sidecar refuses", "    - sidecar\n", "    - sidecar\n    - --watcher=ebfp\n",
        ("arguments", Verdict::Fails, "did you mean ebpf?")),
    ("memory that counts", "- {name: flyte-inputs, emptyDir: {}}",
        "- {name: flyte-inputs, emptyDir: {medium: Memory, sizeLimit: 1Gi}}",
        ("memory for the volume flyte-inputs", Verdict::Degraded, "a sizeLimit of 1.00 GiB")),
];

#[test]
fn each_mistake_in_a_manifest_is_named() {
    let whole = example();
    for (what, from, to, finding) in MISTAKES {
        let text = whole.replacen(from, to, 1);
        assert_ne!(text, whole, "{what}");
        println!("{what}");
        assert_found(&judged(&text), &[*finding]);
    }
}

#[test]
fn a_watcher_that_cannot_work_in_this_pod_is_named() {
    let with = |watcher: &str, from: &str, to: &str| {
        let named = format!("    - sidecar\n    - --watcher={watcher}\n");
        let text = example()
            .replacen("    - sidecar\n", &named, 1)
            .replacen(from, to, 1);
        judged(&text)
    };
    for (watcher, from, to, words) in [
        ("ebpf", "runAsUser: 0", "runAsUser: 1", "may not use BPF"),
        (
            "pidfd",
            "shareProcessNamespace: true",
            "",
            "does not share pids",
        ),
        (
            "proc",
            "shareProcessNamespace: true",
            "",
            "does not share pids",
        ),
        (
            "kube-api",
            "shareProcessNamespace: true",
            "automountServiceAccountToken: false",
            "automountServiceAccountToken",
        ),
    ] {
        assert_found(
            &with(watcher, from, to),
            &[("watcher", Verdict::Fails, words)],
        );
    }
}

#[test]
fn who_may_be_mistaken_for_main_is_named() {
    let own = "- name: work # Flyte";
    let text = example()
        .replacen("- name: my-task-n0-0 # Flyte", own, 1)
        .replacen(
            "  containers:\n",
            "  - name: prepare\n    image: x\n    command: [x]\n    volumeMounts:\n    \
         - {name: flyte-outputs, mountPath: /out}\n  containers:\n",
            1,
        );
    assert_found(
        &judged(&text),
        &[("init containers", Verdict::Degraded, "prepare mounts")],
    );
    let nobody = example().replacen("- name: my-task-n0-0 # Flyte", own, 1);
    let end = nobody.rfind("    - {name: flyte-outputs").unwrap();
    assert_found(
        &judged(&nobody[..end]),
        &[("who is main", Verdict::Fails, "--main-container")],
    );
}

#[test]
fn a_template_is_judged_as_far_as_it_goes() {
    let text = "kind: PodTemplate\ntemplate:\n  spec:\n    initContainers:\n    \
                - {name: flyte-copilot-uploader, args: [--logger.level=4]}\n    \
                containers: [{name: default, image: x}]\n";
    assert_found(
        &judged(text),
        &[
            ("arguments", Verdict::NotChecked, "the platform adds them"),
            ("who is main", Verdict::NotChecked, "no name here"),
            ("capabilities", Verdict::Degraded, "not added"),
        ],
    );
}

#[test]
fn a_file_without_a_pod_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pod.yaml");
    let refusal = || examine(&path, reader()).unwrap_err().to_string();
    assert!(refusal().contains("cannot be read"));
    std::fs::write(&path, "kind: Service\n").unwrap();
    assert!(refusal().contains("no containers"), "{}", refusal());
    let length = usize::try_from(LARGEST).unwrap() + 1;
    std::fs::write(&path, "#".repeat(length)).unwrap();
    assert!(refusal().contains("3 MiB"), "{}", refusal());
}
