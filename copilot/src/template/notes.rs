//! The comments above the objects: what the template buys, and what to do with it beside Flyte's settings.

use std::fmt::Write as _;

use super::manifest::NAME;
use super::{FlyteVersion, TemplateRequest, TemplateWatcher};

/// For Flyte before 1.15.1, which gets no template.
const BEFORE: &str = "\
# Swap the image only: before Flyte 1.15.1 the container `default` of a PodTemplate is merged into every container of
# the pod, main included, and no other name counts. So a right for the uploader would land on main, too.
#
# What the image alone buys: these versions share the pids of a pod, so the watcher is `pidfd`. Copilot sees main start
# within 5 ms and end within microseconds; on Linux 6.15 and newer also its exit code. A main of a few milliseconds may
# be missed: the uploader is an ordinary container, which starts together with main.
";

/// What `ebpf` buys where main starts after the uploader.
const EBPF: &str = "\
# What it buys: the kernel (eBPF) tells Copilot, within microseconds, when main starts and how it ends: exit code,
# signal, out of memory. Main starts only when Copilot watches it. Outputs are read whatever user and mode they have.
# Main gets none of these rights. Where a node refuses eBPF, Copilot waits for SIGTERM, as the reference does, and its
# log says why.
#
# The namespaces of the tasks must allow the capabilities BPF, PERFMON and DAC_READ_SEARCH (Pod Security: privileged).
";

/// What `ebpf` buys beside an ordinary uploader.
const EBPF_ORDINARY: &str = "\
# What it buys: the kernel (eBPF) tells Copilot, within microseconds, when main starts and how it ends: exit code,
# signal, out of memory. Outputs are read whatever user and mode they have. Main gets none of these rights. Where a node
# refuses eBPF, Copilot uses `pidfd`, since 1.15 shares the pids of a pod, and its log says why.
# What it does not buy: the uploader of 1.15 is an ordinary container, which starts together with main. No startup probe
# can hold main back, so a main of a few milliseconds may be missed.
#
# The namespaces of the tasks must allow the capabilities BPF, PERFMON and DAC_READ_SEARCH (Pod Security: privileged).
";

/// What `pidfd` buys.
const PIDFD: &str = "\
# What it buys, without any right: Copilot sees main's processes. It sees main start within 5 ms and end within
# microseconds; on Linux 6.15 and newer also its exit code. It finds main by its name.
";

/// The same where Flyte shares the pids.
const PIDFD_ALONE: &str = "\
# No PodTemplate is needed: 1.15 shares the pids of a pod. What the image alone buys: Copilot sees main start within
# 5 ms and end within microseconds; on Linux 6.15 and newer also its exit code. A main of a few milliseconds may be
# missed: the uploader is an ordinary container, which starts together with main.
";

/// What shared pids add to `ebpf`.
const PIDFD_BESIDE: &str = "\
# Shared pids buy in addition: main is found by its name, so nothing waits for SIGTERM, and `pidfd` works where a node
# refuses eBPF.
";

/// What `kube-api` buys.
const KUBE_API: &str = "\
# What `kube-api` buys: Kubernetes' API tells Copilot how main ended, about a second later. It costs each pod the right
# to list and watch the pods of its namespace, and a connection to the API server.
";

/// What the image alone buys.
const SIGNAL: &str = "\
# Nothing else is needed for the watcher `signal`. What the image alone buys: the outputs are committed as the reference
# does it, about a second after main's end, when kubelet sends SIGTERM. How main ended is not known: its outputs decide.
# `copilot template` without --watcher prints what would show it.
";

/// What `--streaming` buys.
const STREAMING: &str = "\
# What streaming buys: main starts when the values and the list of its files are there, and files arrive while it runs
# (docs/container-contract.md says how a program waits for them).
";

/// How Flyte finds what to merge.
const MERGING: &str = "\
# Flyte merges each of these containers into the one of the same name that it makes. A name that fits none has no
# effect, and no message says so: the prefix must be that of the setting co-pilot.name.
";

/// Where the platform's settings are, and the rest of the step.
const ONE_TEMPLATE: &str = "\
#    A pod gets one PodTemplate only. If this setting has a value already, or tasks name a template of their own, put
#    the containers below into that template.
";

/// Flyte 2 alone can keep keys off the command line.
const SECRET: &str = "\
#    From 2.0.41 on, co-pilot.storage-config-secret-name names a Secret with the keys of the store. Then they stand on
#    no command line (deploy/storage.yaml shows its content).
#
";

/// The comments. The last one ends above the objects.
pub(super) fn text(request: &TemplateRequest) -> String {
    let mut text = format!(
        "# Copilot in Flyte {}. Made by: {}\n#\n",
        versions(request.version),
        command_line(request)
    );
    for paragraph in benefits(request) {
        text += paragraph;
        text += "#\n";
    }
    let has_template = request.has_template();
    if has_template {
        text += MERGING;
        text += "#\n";
        text += &apply(request);
    }
    text += &settings(request, has_template);
    text += &check(if has_template { 3 } else { 2 });
    text
}

/// The versions for which the text is right.
fn versions(version: FlyteVersion) -> &'static str {
    match version {
        FlyteVersion::Before1_15_1 => "before 1.15.1",
        FlyteVersion::V1_15 => "1.15.1 to 1.15.3",
        FlyteVersion::V1_16 => "1.16 and newer 1.x",
        FlyteVersion::V2 => "2",
    }
}

/// The command line that prints the same text.
fn command_line(request: &TemplateRequest) -> String {
    let mut line = format!("copilot template --flyte {}", request.version.name());
    let usual = TemplateRequest::of(request.version);
    // Writing to a string cannot fail.
    if request.prefix != usual.prefix {
        let _ = write!(line, " --prefix {}", request.prefix);
    }
    if request.watchers != usual.watchers {
        let names: Vec<&str> = request.watchers.iter().map(|it| it.name()).collect();
        let names = if names.is_empty() {
            "signal".to_owned()
        } else {
            names.join(",")
        };
        let _ = write!(line, " --watcher {names}");
    }
    if request.streams {
        line += " --streaming";
    }
    if request.image != usual.image {
        let _ = write!(line, " --image {}", request.image);
    }
    line
}

fn benefits(request: &TemplateRequest) -> Vec<&'static str> {
    let uses = |watcher| request.uses(watcher);
    let mut paragraphs = Vec::new();
    if request.version == FlyteVersion::Before1_15_1 {
        paragraphs.push(BEFORE);
        return paragraphs;
    }
    if uses(TemplateWatcher::Ebpf) {
        paragraphs.push(if request.version.has_native_uploader() {
            EBPF
        } else {
            EBPF_ORDINARY
        });
    }
    match (uses(TemplateWatcher::Ebpf), uses(TemplateWatcher::Pidfd)) {
        (true, true) if !request.version.shares_pids() => paragraphs.push(PIDFD_BESIDE),
        (false, true) if request.version.shares_pids() => paragraphs.push(PIDFD_ALONE),
        (false, true) => paragraphs.push(PIDFD),
        _ => {}
    }
    if uses(TemplateWatcher::KubeApi) {
        paragraphs.push(KUBE_API);
    }
    if request.watchers.is_empty() {
        paragraphs.push(SIGNAL);
    }
    if request.streams {
        paragraphs.push(STREAMING);
    }
    paragraphs
}

fn apply(request: &TemplateRequest) -> String {
    let (scope, namespace) = if request.uses(TemplateWatcher::KubeApi) {
        (
            "in each namespace of a project and domain (its rights count there only)",
            "PROJECT-DOMAIN",
        )
    } else {
        (
            "in Flyte's own namespace for all projects, or in that of a project and domain",
            "flyte",
        )
    };
    format!(
        "# 1. Apply this text, {scope}:\n\
         #\n\
         #        {} | kubectl apply --namespace {namespace} --filename -\n\
         #\n",
        command_line(request)
    )
}

fn settings(request: &TemplateRequest, has_template: bool) -> String {
    let number = if has_template { 2 } else { 1 };
    let what = match has_template {
        true if is_usual_prefix(request) => "two settings",
        true => "three settings",
        false => "one setting",
    };
    let mut text = format!(
        "# {number}. Give Flyte's backend {what}:\n\
         #\n\
         #        plugins:\n\
         #          k8s:\n\
         #            co-pilot:\n\
         #              image: {}\n",
        request.image
    );
    if has_template && !is_usual_prefix(request) {
        let _ = writeln!(text, "#              name: {}", request.prefix);
    }
    if has_template {
        let _ = writeln!(text, "#            default-pod-template-name: {NAME}");
    }
    text += "#\n";
    if has_template {
        text += ONE_TEMPLATE;
        text += "#\n";
    }
    if request.version == FlyteVersion::V2 {
        text += SECRET;
    }
    text
}

fn is_usual_prefix(request: &TemplateRequest) -> bool {
    request.prefix == TemplateRequest::PREFIX
}

fn check(number: u32) -> String {
    format!(
        "# {number}. Check the pod of a task:\n\
         #\n\
         #        kubectl get pod NAME --output yaml > pod.yaml\n\
         #        copilot doctor --pod pod.yaml\n\
         #\n\
         # docs/flyte.md says more.\n"
    )
}
