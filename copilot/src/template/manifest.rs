//! The objects: the `PodTemplate` and, for `kube-api`, the rights of the pods' account. Comments in them say why.

use super::{FlyteVersion, TemplateRequest, TemplateWatcher};

/// The name of the template, which the platform's setting repeats.
pub(super) const NAME: &str = "flyte-copilot";

/// Kubernetes wants an image for each container, and Flyte replaces it.
const IMAGE: &str = "unused # Flyte puts the image of its own setting here";

/// Only an init container that restarts may have a startup probe.
const NATIVE: &str = "      restartPolicy: Always # a native sidecar\n";

/// What `ebpf` needs, and what reads main's outputs.
const RIGHTS: &str = "      securityContext:
        runAsUser: 0 # Kubernetes makes added capabilities effective for uid 0 only
        runAsNonRoot: false
        allowPrivilegeEscalation: false
        capabilities:
          drop: [ALL]
          add: [BPF, PERFMON, DAC_READ_SEARCH] # the last one reads outputs that only main's user may read
";

/// How a pod on the node's network learns who it is; elsewhere the host name is the pod's name.
const IDENTITY: &str = "      env:
      - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
      - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
";

/// What `kube-api` needs at Kubernetes' API.
const API_RIGHTS: &str = "\
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: copilot-watch}
rules:
- apiGroups: [\"\"]
  resources: [pods]
  verbs: [list, watch] # of one pod by its name; `get` is not needed
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: copilot-watch}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: copilot-watch}
subjects:
- {kind: ServiceAccount, name: default} # the service account of the tasks' pods
";

/// The objects in YAML; empty if there is nothing to merge.
pub(super) fn text(request: &TemplateRequest) -> String {
    if !request.has_template() {
        return String::new();
    }
    let mut text = format!(
        "apiVersion: v1\nkind: PodTemplate\nmetadata: {{name: {NAME}}}\ntemplate:\n  spec:\n"
    );
    if request.uses(TemplateWatcher::Pidfd) && !request.version.shares_pids() {
        text += "    shareProcessNamespace: true # Copilot sees main's processes, and main sees Copilot's\n";
    }
    if request.version.has_native_uploader() {
        text += "    initContainers:\n";
        text += &init_containers(request);
        text += "    containers:\n";
        text += "    - {name: noop, image: unused} # Kubernetes wants one, and Flyte drops it\n";
    } else {
        text += "    containers:\n";
        text += &uploader(request);
    }
    if request.uses(TemplateWatcher::KubeApi) {
        text += API_RIGHTS;
    }
    text
}

fn init_containers(request: &TemplateRequest) -> String {
    let mut text = String::new();
    if request.version == FlyteVersion::V2 {
        text += "    # Without it Flyte 2 changes its copy of this template with each pod: arguments pile up.\n";
        text += "    - {name: default-init, image: unused}\n";
    }
    if !request.watchers.is_empty() {
        text += &uploader(request);
    }
    if request.streams {
        text += &downloader(request);
    }
    text
}

fn uploader(request: &TemplateRequest) -> String {
    let mut text = format!(
        "    - name: {}uploader\n      image: {IMAGE}\n",
        request.prefix
    );
    let is_native = request.version.has_native_uploader();
    if is_native {
        text += NATIVE;
    }
    text += &arguments(request);
    if request.uses(TemplateWatcher::KubeApi) {
        text += IDENTITY;
    }
    if request.uses(TemplateWatcher::Ebpf) {
        text += RIGHTS;
    }
    if is_native {
        text += &probe("main starts when the watcher is attached", 60);
    }
    text
}

/// Flyte puts a template's arguments before its own.
fn arguments(request: &TemplateRequest) -> String {
    let why = if request.version.has_native_uploader() {
        "Flyte passes 3 before it, and the last one counts"
    } else {
        "a log line for each step of main"
    };
    // A watcher that is named must work, so only one that `auto` does not take is named.
    let watcher = match request.watchers.as_slice() {
        [TemplateWatcher::KubeApi] => ", --watcher=kube-api",
        several if several.contains(&TemplateWatcher::KubeApi) => {
            // In a flow list a comma ends a word.
            ", \"--watcher=kube-api,auto\""
        }
        _ => "",
    };
    format!("      args: [--logger.level=4{watcher}] # {why}\n")
}

fn downloader(request: &TemplateRequest) -> String {
    let name = match request.version {
        FlyteVersion::V2 => format!("{}downloader", request.prefix),
        _ => "primary-init # Flyte 1.16 merges it into its downloader".to_owned(),
    };
    let mut text = format!("    - name: {name}\n      image: {IMAGE}\n{NATIVE}");
    text += "      args: [--download-mode=DOWNLOAD_STREAM]\n";
    text += &probe(
        "main starts when the metadata files are there; if it takes longer, kubelet restarts it",
        600,
    );
    text
}

/// A startup probe that fails for at most so many seconds.
fn probe(why: &str, seconds: u32) -> String {
    format!(
        "      startupProbe: # {why}\n        exec: {{command: [/bin/flyte-copilot, ready]}}\n        \
         periodSeconds: 1\n        failureThreshold: {seconds}\n"
    )
}
