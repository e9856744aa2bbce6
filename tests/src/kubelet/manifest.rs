//! The manifest of a case's pod.
//!
//! Pods use the node's network, so they reach the run's store on loopback. The run exchanges data with
//! the pod in folders of the node: `stamps` with main, `timeline` with the sidecar. Each of them mounts
//! only its own.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{Message as _, SimpleType};
use serde_json::{Value, json};

use super::cluster::{ACCOUNT, NAMESPACE, POOR_ACCOUNT};
use super::image::{BOX, COPILOT};
use super::scenario::{Beside, Case, End, Main, Pids, Privilege};
use crate::task::{interface, simple};

/// The platform's name for the sidecar's container.
pub const SIDECAR: &str = "flyte-copilot-uploader";

/// The name of the downloader's container.
pub const DOWNLOADER: &str = "flyte-copilot-downloader";

/// A name for main that Copilot has no rule for.
pub const WORKER: &str = "worker";

/// The other container that mounts the output volume.
pub const HELPER: &str = "helper";

/// The usual name for the proxy of a service mesh.
pub const MESH: &str = "istio-proxy";

/// The only output.
pub const OUTPUT: &str = "word";

/// Its value.
pub const WORD: &str = "hello";

/// The bucket of the run.
pub const BUCKET: &str = "data";

/// The grace period of a pod that is stopped. It is short if main ignores SIGTERM.
const GRACE: [u32; 2] = [5, 30];

/// Almost the grace period.
const PATIENT: &str = "--term-wait=25s";

/// The script of a mesh's proxy: it runs until it is stopped, or for a while.
const PROXY: &str = "trap 'exit 0' TERM; sleep 12 & wait $!";

/// How many more folders main mounts, like configuration and secrets, so that making its mounts takes
/// some time.
const MORE: u32 = 12;

/// The names of a pod and of its objects.
#[derive(Clone, Debug)]
pub struct PodNames {
    /// The pod's name in its manifest.
    pub pod: String,
    /// Its uid.
    pub uid: String,
    /// The prefix of its objects.
    pub prefix: String,
}

/// Main's name in this case.
#[must_use]
pub fn main_name(case: &Case) -> &'static str {
    if case.has(Beside::Primary) {
        "primary"
    } else {
        WORKER
    }
}

/// The whole manifest. `folder` is the pod's folder on the node, `store` the flags for the bucket, `api` the
/// API server's port.
#[must_use]
pub fn pod(
    case: &Case,
    names: &PodNames,
    folder: &Path,
    store: &[String],
    api: Option<u16>,
) -> Value {
    let mut inits = vec![sidecar(case, names, store, api)];
    if case.has(Beside::NativeMesh) {
        let mut mesh = script(MESH, PROXY, &[]);
        mesh["restartPolicy"] = "Always".into();
        inits.push(mesh);
    }
    let init = format!("echo {WORD} > /var/flyte/outputs/{OUTPUT}");
    if case.has(Beside::InitBefore) {
        inits.push(script("prepare", &init, &[outputs(case)]));
    }
    inits.push(downloader(names, store));
    if case.has(Beside::InitAfter) {
        inits.push(script("prepare", &init, &[outputs(case)]));
    }
    let mut containers = vec![main(case)];
    for beside in case.scenario.beside {
        containers.extend(match beside {
            Beside::SecondMain(text) => Some(script(HELPER, text, &mounts_of_main(case))),
            Beside::Named => Some(script(HELPER, "sleep 1; exit 3", &[outputs(case)])),
            Beside::OrdinaryMesh => Some(script(MESH, PROXY, &[])),
            _ => None,
        });
    }
    let mut spec = json!({
        "hostNetwork": true,
        "shareProcessNamespace": case.pids == Pids::Shared,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": grace(case),
        "volumes": volumes(folder),
        "initContainers": inits,
        "containers": containers,
    });
    for beside in case.scenario.beside {
        if let Beside::Deadline(seconds) = beside {
            spec["activeDeadlineSeconds"] = (*seconds).into();
        }
    }
    let mut metadata = json!({"name": names.pod, "namespace": NAMESPACE});
    if api.is_some() {
        let poor = case.has(Beside::NoRights);
        spec["serviceAccountName"] = if poor { POOR_ACCOUNT } else { ACCOUNT }.into();
        spec["automountServiceAccountToken"] = true.into();
    } else {
        metadata["uid"] = names.uid.as_str().into();
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
}

fn grace(case: &Case) -> u32 {
    let stopped = case.scenario.end == End::Stopped;
    GRACE[usize::from(!stopped)]
}

fn volumes(folder: &Path) -> Value {
    let shared = |name: &str| {
        let path = folder.join(name);
        json!({"name": name, "hostPath": {"path": path, "type": "Directory"}})
    };
    json!([
        {"name": "flyte-inputs", "emptyDir": {}},
        {"name": "flyte-outputs", "emptyDir": {}},
        {"name": "more", "emptyDir": {"medium": "Memory"}},
        shared("stamps"),
        shared("timeline"),
    ])
}

/// The output volume, as this case mounts it.
fn outputs(case: &Case) -> Value {
    let mut mount = json!({"name": "flyte-outputs", "mountPath": "/var/flyte/outputs"});
    if case.has(Beside::SubPath) {
        mount["subPath"] = "deep".into();
    }
    mount
}

fn mounts_of_main(case: &Case) -> Vec<Value> {
    // Its path is deeper than that of the termination log, since runtimes make mounts in the order of
    // their depth: a reader of an unfinished container may find its name but not its volumes.
    let more = (0..MORE).map(|number| {
        json!({
            "name": "more",
            "mountPath": format!("/etc/more/{number}"),
            "subPath": number.to_string(),
        })
    });
    let own = [
        json!({"name": "flyte-inputs", "mountPath": "/var/flyte/inputs"}),
        outputs(case),
        json!({"name": "stamps", "mountPath": "/stamps"}),
    ];
    more.chain(own).collect()
}

fn main(case: &Case) -> Value {
    let name = main_name(case);
    let mounts = mounts_of_main(case);
    let mut main = match case.scenario.main {
        Main::Script(text) => script(name, text, &mounts),
        Main::Missing => container(name, BOX, &["/bin/nothing"], &mounts),
    };
    if case.has(Beside::LittleMemory) {
        main["resources"] = json!({"requests": {"memory": "32Mi"}, "limits": {"memory": "32Mi"}});
    }
    if case.has(Beside::Probes) {
        main["livenessProbe"] = json!({"exec": {"command": ["/bin/true"]}, "periodSeconds": 1});
    }
    main
}

fn downloader(names: &PodNames, store: &[String]) -> Value {
    let prefix = &names.prefix;
    let own = [
        "download".to_owned(),
        format!("--from-remote=s3://{BUCKET}/inputs.pb"),
        format!("--to-output-prefix=s3://{BUCKET}/{prefix}/out"),
        "--to-local-dir=/var/flyte/inputs".to_owned(),
    ];
    let mounts = [json!({"name": "flyte-inputs", "mountPath": "/var/flyte/inputs"})];
    ours(DOWNLOADER, store, &own, &mounts)
}

fn sidecar(case: &Case, names: &PodNames, store: &[String], api: Option<u16>) -> Value {
    let prefix = &names.prefix;
    let interface = interface([(OUTPUT, simple(SimpleType::String))]);
    // Logs each transition, and the end of each watch.
    let level = 4 + u8::from(case.privilege == Privilege::KubeApi);
    let mut own = vec![
        "sidecar".to_owned(),
        format!("--logger.level={level}"),
        "--timeout=1h".to_owned(),
        format!("--to-raw-output=s3://{BUCKET}/{prefix}/raw"),
        format!("--to-output-prefix=s3://{BUCKET}/{prefix}/out"),
        "--from-local-dir=/var/flyte/outputs".to_owned(),
        "--timeline=/var/timeline/timeline.json".to_owned(),
        // In a container of Flyte's it is 0 if the error document tells.
        "--exit-code=1".to_owned(),
        "--interface".to_owned(),
        BASE64_STANDARD.encode(interface.encode_to_vec()),
    ];
    if case.has(Beside::Named) {
        own.push(format!("--main-container={}", main_name(case)));
    }
    if case.has(Beside::Patience) {
        own.push(PATIENT.to_owned());
    }
    if case.privilege == Privilege::KubeApi {
        own.push("--watcher=kube-api".to_owned());
    }
    let mounts = [
        outputs(case),
        json!({"name": "timeline", "mountPath": "/var/timeline"}),
    ];
    let mut sidecar = ours(SIDECAR, store, &own, &mounts);
    sidecar["restartPolicy"] = "Always".into();
    sidecar["startupProbe"] = json!({
        "exec": {"command": ["/bin/copilot", "ready"]},
        "periodSeconds": 1,
        "failureThreshold": 60,
    });
    if let Some(port) = api {
        // The proxy's address differs from the one that kubelet sets.
        let field = |path: &str| json!({"fieldRef": {"fieldPath": path}});
        sidecar["env"] = json!([
            {"name": "POD_NAME", "valueFrom": field("metadata.name")},
            {"name": "POD_NAMESPACE", "valueFrom": field("metadata.namespace")},
            {"name": "KUBERNETES_SERVICE_HOST", "value": "127.0.0.1"},
            {"name": "KUBERNETES_SERVICE_PORT", "value": port.to_string()},
        ]);
    }
    sidecar["securityContext"] = security(case.privilege);
    // As in a deployed pod, except for the CPU request, since many pods must fit on the node.
    sidecar["resources"] = json!({
        "requests": {"cpu": "10m", "memory": "128Mi"},
        "limits": {"cpu": "500m", "memory": "128Mi"},
    });
    sidecar
}

fn security(privilege: Privilege) -> Value {
    let mut context = json!({
        "runAsUser": 0,
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"], "add": ["BPF", "PERFMON"]},
    });
    match privilege {
        Privilege::Bpf => {}
        Privilege::BpfSeccomp => context["seccompProfile"] = json!({"type": "RuntimeDefault"}),
        Privilege::None | Privilege::KubeApi => {
            context["runAsUser"] = 65534.into();
            context["capabilities"] = json!({"drop": ["ALL"]});
        }
    }
    context
}

fn ours(name: &str, store: &[String], own: &[String], mounts: &[Value]) -> Value {
    let words = ["/bin/copilot".to_owned()];
    let words: Vec<&str> = words
        .iter()
        .chain(store)
        .chain(own)
        .map(String::as_str)
        .collect();
    let mut container = container(name, COPILOT, &words, mounts);
    container["terminationMessagePolicy"] = "FallbackToLogsOnError".into();
    container
}

/// A container that runs a shell script.
#[must_use]
pub fn script(name: &str, text: &str, mounts: &[Value]) -> Value {
    container(name, BOX, &["/bin/sh", "-c", text], mounts)
}

fn container(name: &str, image: &str, words: &[&str], mounts: &[Value]) -> Value {
    // Kubernetes expands `$(NAME)` as a variable, and replaces two `$` by one.
    let words: Vec<String> = words.iter().map(|word| word.replace('$', "$$")).collect();
    json!({
        "name": name,
        "image": image,
        "imagePullPolicy": "Never",
        "command": words,
        "volumeMounts": mounts,
    })
}
