//! Merged pods, run by a container runtime: each of Flyte's containers with the command, arguments, user, capabilities
//! and volumes of the merged pod.

use std::fs;
use std::process::Command;

use copilot::idl::{
    LiteralMap, Message as _, decode_error_document, decode_literal_map, primitive,
};
use copilot_tests::binary::{self, Ended};
use copilot_tests::container::{Container, Image, Pids, Spec};
use copilot_tests::fixture::{NAME, TaskPod};
use copilot_tests::requirement::Requirement;
use rustix::process::Signal;
use serde_json::Value;

use super::platform::{Platform, Template};
use super::{
    OTHER_PREFIX, PLAIN, SECOND_PLAIN, container, name, pod, pod_of_1_15, printed, template,
};

const OUTPUTS: &str = "metadata/n0/data/0";

/// Main's outputs, which only main's user may read.
const WORKS: &str =
    "sleep 0.3; umask 077; cd /var/flyte/outputs; echo 3 > n2; echo hello > s2; echo a,b > f2.csv";

const ELIMINATION: &str = "elimination";
const FLYTE_NAMING: &str = "named as Flyte names";

/// A merged pod with a store that it can reach.
struct FlytePod {
    task: TaskPod,
    pod: Value,
}

/// How the uploader ended, and the log of a streaming downloader.
struct Played {
    uploader: Ended,
    downloader: String,
}

impl FlytePod {
    fn start(pod: &Value) -> Self {
        let pids = match pod["spec"]["shareProcessNamespace"].as_bool() {
            Some(true) => Pids::Shared,
            _ => Pids::Separate,
        };
        let task = TaskPod::start(pids).unwrap();
        let server = task.server();
        let own_name = pod["metadata"]["name"].as_str().unwrap();
        let text = pod
            .to_string()
            .replace(own_name, NAME)
            .replace("my-s3-bucket", "data")
            .replace("http://127.0.0.1:19377", &server.endpoint)
            .replace(
                "access_key_id=minio",
                &format!("access_key_id={}", server.access_key),
            )
            .replace(
                "secret_key=miniostorage",
                &format!("secret_key={}", server.secret_key),
            );
        let inputs = task.object("metadata/n0/data/inputs.pb");
        fs::create_dir_all(inputs.parent().unwrap()).unwrap();
        fs::write(inputs, LiteralMap::default().encode_to_vec()).unwrap();
        put_secret(&task);
        let pod = serde_json::from_str(&text).unwrap();
        Self { task, pod }
    }

    /// A container of the merged pod, as the runtime gets it.
    fn spec(&self, role: &str) -> Spec {
        let container = container(&self.pod, role);
        let words = ["command", "args"].map(|list| container[list].as_array().cloned());
        let words = words.into_iter().flatten().flatten();
        let words = words.map(|word| word.as_str().unwrap().to_owned());
        let security = &container["securityContext"];
        let added = security["capabilities"]["add"].as_array();
        let added: Vec<&str> = added
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let user = security["runAsUser"].as_u64().unwrap_or_default();
        let spec = Spec::new(name(container), Image::Copilot(binary::path()), words)
            .user(user.try_into().unwrap())
            .capabilities(&added);
        let mounts = container["volumeMounts"].as_array().unwrap();
        mounts.iter().fold(spec, |spec, mount| {
            let volume = self.task.pod.volume(name(mount)).unwrap();
            spec.mount(volume, mount["mountPath"].as_str().unwrap())
        })
    }

    /// Runs the pod as kubelet does: the uploader until its startup probe succeeds, the downloader, main; then it
    /// stops the uploader, if that is a native sidecar.
    fn play(&self, script: &str) -> Played {
        let pod = &self.task.pod;
        let uploader = self.task.attach(&self.spec("uploader")).unwrap();
        probe(&uploader, container(&self.pod, "uploader"));
        let downloader = self.spec("downloader");
        let is_native = |role| container(&self.pod, role)["restartPolicy"] == "Always";
        let downloader = if is_native("downloader") {
            let downloader = self.task.attach(&downloader).unwrap();
            probe(&downloader, container(&self.pod, "downloader"));
            downloader
        } else {
            let downloader = pod.run(&downloader).unwrap();
            let ended = downloader.wait().unwrap();
            assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
            downloader
        };
        let outputs = pod.volume("flyte-outputs").unwrap();
        let main = Spec::script(NAME, script).user(1000);
        let main = pod.run(&main.mount(outputs, "/var/flyte/outputs")).unwrap();
        main.wait().unwrap();
        if is_native("downloader") {
            downloader.signal(Signal::TERM).unwrap();
        }
        if is_native("uploader") {
            uploader.signal(Signal::TERM).unwrap();
        }
        Played {
            uploader: uploader.wait().unwrap(),
            downloader: downloader.log(),
        }
    }

    fn assert_committed(&self, played: &Played) {
        assert_eq!(played.uploader.code(), 0, "{}", played.uploader.stderr);
        let bytes = fs::read(self.task.object(OUTPUTS).join("outputs.pb"));
        let bytes = bytes.unwrap_or_else(|error| panic!("{error}: {}", played.uploader.stderr));
        let outputs = decode_literal_map(bytes.as_slice()).unwrap();
        let expected = primitive::Value::StringValue("hello".to_owned());
        assert_eq!(
            outputs.literals.get("s2"),
            Some(&expected.into()),
            "{outputs:?}"
        );
        assert_eq!(outputs.literals.len(), 3, "{outputs:?}");
    }

    /// The code and message of the error document. The uploader exits with 0, so that the platform reads it.
    fn reported(&self, played: &Played) -> (String, String) {
        assert_eq!(played.uploader.code(), 0, "{}", played.uploader.stderr);
        let directory = self.task.object(OUTPUTS);
        assert!(
            !directory.join("outputs.pb").exists(),
            "{}",
            played.uploader.stderr
        );
        let bytes = fs::read(directory.join("error.pb")).unwrap();
        let error = decode_error_document(bytes.as_slice())
            .unwrap()
            .error
            .unwrap();
        (error.code, error.message)
    }
}

/// The Secret of version 2 with the store's settings, mounted as a volume.
fn put_secret(task: &TaskPod) {
    let server = task.server();
    let text = format!(
        "storage:\n  type: stow\n  container: data\n  stow:\n    kind: s3\n    config:\n      auth_type: accesskey\n      \
         region: us-east-1\n      endpoint: {}\n      access_key_id: {}\n      secret_key: {}\n",
        server.endpoint, server.access_key, server.secret_key
    );
    let volume = task.pod.volume("flyte-copilot-storage-config").unwrap();
    fs::write(volume.join("copilot-storage-config.yaml"), text).unwrap();
}

/// Runs the startup probe of a container that is ready.
fn probe(running: &Container<'_>, container: &Value) {
    let Some(words) = container["startupProbe"]["exec"]["command"].as_array() else {
        return;
    };
    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
    let mut probe: Command = running.exec(&words);
    let output = probe.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// The timeline in the last line of the log.
fn timeline(ended: &Ended) -> Value {
    let lines = ended.stderr.lines().rev();
    let mut objects = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = objects.find_map(|line| line.pointer("/json/timeline").cloned());
    found.unwrap_or_else(|| panic!("{}", ended.stderr))
}

#[track_caller]
fn assert_seen(played: &Played, found: &str) {
    let timeline = timeline(&played.uploader);
    assert_eq!(timeline["watcher"], "ebpf", "{timeline}");
    assert_eq!(timeline["status"], "exited with code 0", "{timeline}");
    let rule = timeline["main_found"].as_str().unwrap_or_default();
    assert!(rule.contains(found), "{timeline}");
    // The last level wins: Flyte's own one shows warnings only.
    assert!(
        played.uploader.stderr.contains("main ended"),
        "{}",
        played.uploader.stderr
    );
}

/// Without shared pids nothing shows main's name, and main is the container after the downloader. Where the pids are
/// shared, by the platform or by the template, it is found by the name that Flyte gives it.
#[test]
fn the_kernel_tells_how_main_ends() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let prefix = ["--prefix", "my-pilot-"];
    let shared = ["--watcher", "ebpf,pidfd"];
    for (platform, arguments, plain, found) in [
        (Platform::V1_16, vec![], pod(PLAIN), ELIMINATION),
        (Platform::V1_16, shared.to_vec(), pod(PLAIN), FLYTE_NAMING),
        (
            Platform::V1_16,
            prefix.to_vec(),
            pod(OTHER_PREFIX),
            ELIMINATION,
        ),
        (
            Platform::V1_16,
            [prefix, shared].concat(),
            pod(OTHER_PREFIX),
            FLYTE_NAMING,
        ),
        (
            Platform::V2,
            prefix.to_vec(),
            pod(SECOND_PLAIN),
            ELIMINATION,
        ),
        (
            Platform::V2,
            [prefix, shared].concat(),
            pod(SECOND_PLAIN),
            FLYTE_NAMING,
        ),
        (Platform::V1_15, vec![], pod_of_1_15(), FLYTE_NAMING),
    ] {
        println!("{platform:?} {arguments:?}");
        let merged = template(platform, &arguments).merge(&plain);
        let flyte = FlytePod::start(&merged);
        let played = flyte.play(WORKS);
        flyte.assert_committed(&played);
        assert_seen(&played, found);
    }
}

#[test]
fn a_main_that_fails_is_reported_whatever_the_prefix() {
    if !Requirement::Containers.is_met() {
        return;
    }
    for (arguments, plain) in [(&[][..], PLAIN), (&["--prefix", "my-pilot-"], OTHER_PREFIX)] {
        let merged = template(Platform::V1_16, arguments).merge(&pod(plain));
        let flyte = FlytePod::start(&merged);
        let played = flyte.play(&format!("{WORKS}; exit 7"));
        let (code, message) = flyte.reported(&played);
        assert_eq!(code, "MainFailed", "{message}");
        assert!(message.contains("exited with code 7"), "{message}");
    }
}

/// `drop: [ALL]` takes from root what reads the files of others.
#[test]
fn outputs_of_mode_0600_need_a_capability_and_the_message_names_it() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let text = printed(&["--flyte", "1.16"]);
    let less = text.replace(", DAC_READ_SEARCH]", "]");
    assert_ne!(less, text);
    let merged = Template::apply(Platform::V1_16, &less).merge(&pod(PLAIN));
    let flyte = FlytePod::start(&merged);
    let played = flyte.play(WORKS);
    let (_, message) = flyte.reported(&played);
    for words in ["output \"n2\"", "mode is 0600", "DAC_READ_SEARCH"] {
        assert!(message.contains(words), "{words}: {message}");
    }
}

/// What the image alone gives: SIGTERM, and one sentence about what gives more.
#[test]
fn without_a_template_the_log_says_once_what_would_help() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let flyte = FlytePod::start(&pod(PLAIN));
    let played = flyte.play(&WORKS.replace("umask 077", "umask 022"));
    flyte.assert_committed(&played);
    let advice = played.uploader.stderr.matches("docs/flyte.md").count();
    assert_eq!(advice, 1, "{}", played.uploader.stderr);
    assert!(
        played.uploader.stderr.contains("copilot template"),
        "{}",
        played.uploader.stderr
    );
}

/// A downloader that streams needs no rights, and its log asks for none.
#[test]
fn a_streaming_downloader_stays_until_it_is_stopped() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let merged = template(Platform::V1_16, &["--streaming"]).merge(&pod(PLAIN));
    let flyte = FlytePod::start(&merged);
    let played = flyte.play(WORKS);
    flyte.assert_committed(&played);
    assert_seen(&played, ELIMINATION);
    assert!(
        !played.downloader.contains("docs/flyte.md"),
        "{}",
        played.downloader
    );
}
