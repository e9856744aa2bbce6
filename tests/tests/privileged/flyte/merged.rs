//! Merged pods, beside those that the platform's builder has made, and what `doctor` says of them.

use std::fs;

use copilot_tests::binary;
use serde_json::{Value, json};

use super::platform::{Platform, in_order};
use super::{
    FROM_TEMPLATE, OTHER_PREFIX, PLAIN, SECOND, SECOND_AGAIN, SECOND_PLAIN, STREAMING,
    WRONG_PREFIX, container, name, pod, pod_of_1_15, printed, template,
};

#[track_caller]
fn assert_equal(found: Value, expected: Value) {
    let (found, expected) = (in_order(found), in_order(expected));
    assert!(found == expected, "{found:#}\nis not\n{expected:#}");
}

/// What `doctor` says of a pod.
fn judged(pod: &Value) -> Value {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("pod.json");
    fs::write(&path, pod.to_string()).expect("the file can be written");
    let ended = binary::run(
        binary::command()
            .args(["doctor", "--json", "--pod"])
            .arg(&path),
    );
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// The subjects of the findings that are not well.
fn complaints(pod: &Value) -> Vec<String> {
    let judged = judged(pod);
    let findings = judged["findings"].as_array().expect("a list");
    let ill = |finding: &&Value| finding["verdict"] != "ok" && finding["verdict"] != "not-checked";
    let subject = |finding: &Value| finding["subject"].as_str().unwrap_or_default().to_owned();
    findings.iter().filter(ill).map(subject).collect()
}

#[test]
fn with_flyte_1_16_it_gives_the_pod_that_flyte_builds() {
    let mut template = template(Platform::V1_16, &[]);
    for _ in 0..2 {
        assert_equal(template.merge(&pod(PLAIN)), pod(FROM_TEMPLATE));
    }
}

/// The builder's pod of version 2, without what its template had given to it.
fn plain_pod_of_2() -> Value {
    let mut plain = pod(SECOND);
    let uploader = plain["spec"]["initContainers"][0]
        .as_object_mut()
        .expect("the uploader");
    uploader.remove("securityContext");
    uploader.remove("startupProbe");
    let arguments = uploader["args"].as_array_mut().expect("arguments");
    assert_eq!(arguments.remove(0), "--logger.level=4");
    plain
}

#[test]
fn with_flyte_2_it_gives_the_pod_that_flyte_builds_and_again() {
    let mut template = template(Platform::V2, &[]);
    assert_equal(template.merge(&plain_pod_of_2()), pod(SECOND));
    assert_equal(template.merge(&plain_pod_of_2()), pod(SECOND_AGAIN));
}

/// What `default-init` is for: without it each pod of version 2 gets the arguments of all before it.
#[test]
fn without_default_init_flyte_2_changes_the_template() {
    let mut template = template(Platform::V2, &[]).without("default-init");
    let mut counts = Vec::new();
    for _ in 0..3 {
        let merged = template.merge(&plain_pod_of_2());
        counts.push(
            container(&merged, "uploader")["args"]
                .as_array()
                .map(Vec::len),
        );
    }
    assert_eq!(counts, [Some(12), Some(23), Some(34)]);
}

#[test]
fn the_prefix_decides_whether_it_is_merged() {
    let mut usual = template(Platform::V1_16, &[]);
    assert_equal(usual.merge(&pod(WRONG_PREFIX)), pod(WRONG_PREFIX));
    for (platform, plain) in [
        (Platform::V1_16, OTHER_PREFIX),
        (Platform::V2, SECOND_PLAIN),
    ] {
        let merged = template(platform, &["--prefix", "my-pilot-"]).merge(&pod(plain));
        let (expected, found) = (pod(FROM_TEMPLATE), container(&merged, "uploader"));
        let expected = container(&expected, "uploader");
        for field in ["securityContext", "startupProbe", "restartPolicy"] {
            assert_eq!(found[field], expected[field], "{field}");
        }
        assert_eq!(found["args"][0], "--logger.level=4");
        let plain = pod(plain);
        assert_eq!(
            container(&merged, "downloader"),
            container(&plain, "downloader")
        );
    }
}

/// Flyte 1.15 has an ordinary uploader, and its template gives main no right. Before 1.15.1 it would, so those
/// versions get no template.
#[test]
fn with_flyte_1_15_only_the_uploader_gets_rights() {
    let plain = pod_of_1_15();
    let merged = template(Platform::V1_15, &[]).merge(&plain);
    let uploader = container(&merged, "uploader");
    let added = &uploader["securityContext"]["capabilities"]["add"];
    assert_eq!(*added, json!(["BPF", "PERFMON", "DAC_READ_SEARCH"]));
    assert_eq!(uploader["startupProbe"], Value::Null);
    assert_eq!(container(&merged, "n0-0"), container(&plain, "n0-0"));
    assert_eq!(
        merged["spec"]["containers"].as_array().map(Vec::len),
        Some(2)
    );
    // It is what it is: an ordinary container, beside a main that Flyte gives SYS_PTRACE.
    assert_eq!(complaints(&merged), ["kind", "rights"]);
}

#[test]
fn a_streaming_downloader_is_the_one_that_flyte_builds() {
    let arguments = ["--streaming", "--watcher", "signal"];
    let merged = template(Platform::V1_16, &arguments).merge(&pod(PLAIN));
    let mut expected = pod(STREAMING);
    // Its template shared the pids, and gave the list of the files less time.
    let spec = expected["spec"].as_object_mut().expect("a map");
    assert_eq!(spec.remove("shareProcessNamespace"), Some(true.into()));
    spec["initContainers"][1]["startupProbe"]["failureThreshold"] = 600.into();
    assert_equal(merged, expected);
    let arguments = ["--streaming", "--watcher", "pidfd"];
    let merged = template(Platform::V1_16, &arguments).merge(&pod(PLAIN));
    assert_eq!(merged["spec"]["shareProcessNamespace"], true);
    // By name on 2.
    let merged = template(Platform::V2, &["--streaming"]).merge(&plain_pod_of_2());
    let downloader = container(&merged, "downloader");
    assert_eq!(downloader["args"][0], "--download-mode=DOWNLOAD_STREAM");
    assert_eq!(downloader["restartPolicy"], "Always");
}

#[test]
fn doctor_has_no_complaint_about_what_ebpf_gets() {
    for (platform, arguments, plain) in [
        (Platform::V1_16, &[][..], pod(PLAIN)),
        (Platform::V1_16, &["--streaming"], pod(PLAIN)),
        (Platform::V1_16, &["--watcher", "ebpf,pidfd"], pod(PLAIN)),
        (Platform::V1_16, &["--watcher", "ebpf,kube-api"], pod(PLAIN)),
        (
            Platform::V1_16,
            &["--prefix", "my-pilot-"],
            pod(OTHER_PREFIX),
        ),
        (Platform::V2, &[], plain_pod_of_2()),
        (Platform::V2, &["--streaming"], plain_pod_of_2()),
        (Platform::V2, &["--prefix", "my-pilot-"], pod(SECOND_PLAIN)),
    ] {
        let merged = template(platform, arguments).merge(&plain);
        assert_eq!(complaints(&merged), [""; 0], "{platform:?} {arguments:?}");
    }
    // As a check of this check.
    assert!(complaints(&pod(PLAIN)).contains(&"watcher".to_owned()));
}

/// The account's rights stand in documents of their own, which the platform does not merge.
#[test]
fn kube_api_brings_the_rights_of_the_account() {
    let text = printed(&["--flyte", "2", "--watcher", "kube-api"]);
    let documents = super::yaml::read(&text);
    let kinds: Vec<&Value> = documents.iter().map(|document| &document["kind"]).collect();
    assert_eq!(kinds, ["PodTemplate", "Role", "RoleBinding"]);
    assert_eq!(documents[1]["rules"][0]["verbs"], json!(["list", "watch"]));
    let account = &documents[2]["subjects"][0];
    assert_eq!(name(account), pod(SECOND)["spec"]["serviceAccountName"]);
    let merged = template(Platform::V2, &["--watcher", "kube-api"]).merge(&plain_pod_of_2());
    let uploader = container(&merged, "uploader");
    assert_eq!(uploader["args"][1], "--watcher=kube-api");
    assert_eq!(name(&uploader["env"][0]), "POD_NAME");
}
