//! How the sidecar's container is run: as what, when main may start, how it watches, when it is killed.

use std::time::Duration;

use super::manifest::{Container, Manifest};
use crate::doctor::{Finding, Group};
use crate::sidecar::SidecarRequest;
use crate::track::Watcher;
use crate::track::process::COPILOT;
use crate::transfer::ByteCount;

const GROUP: Group = Group::Sidecar;

/// Below this the attach comes near the limit, as `doctor` says on the machine itself.
const LITTLE_MEMORY: u64 = 48 << 20;

/// An attach takes less than a second; a busy node may need some.
const LITTLE_PATIENCE: u64 = 10;

/// As what kubelet runs it, and when main may start. `is_part`: the platform adds to the container.
pub(super) fn order(container: &Container, is_part: bool) -> Vec<Finding> {
    let subject = "kind";
    if is_part && !container.always_restarts {
        let found = "the platform adds the rest, also whether it is a native sidecar";
        return vec![Finding::not_checked(GROUP, subject, found)];
    }
    if container.is_init && !container.always_restarts {
        return vec![
            Finding::fails(
                GROUP,
                subject,
                "an init container without restartPolicy: Always",
            )
            .costs(
                "it waits for main, and kubelet starts main only after it has ended: the pod hangs",
            )
            .mend("restartPolicy: Always for this container"),
        ];
    }
    if !container.is_init {
        return vec![
            Finding::degraded(GROUP, subject, "an ordinary container, which starts together with main")
                .costs(
                    "a main of some milliseconds may end before the watcher is attached, and no SIGTERM tells that \
                     main is over",
                )
                .mend("make it an init container with restartPolicy: Always (Kubernetes 1.29 or newer)"),
        ];
    }
    vec![
        Finding::ok(
            GROUP,
            subject,
            "a native sidecar: it starts before main, and ends after it",
        ),
        probe(container),
    ]
}

fn probe(container: &Container) -> Finding {
    let subject = "startup probe";
    let advice = "startupProbe: {exec: {command: [/copilot, ready]}, periodSeconds: 1, failureThreshold: 60}";
    let Some(probe) = &container.startup_probe else {
        return Finding::degraded(GROUP, subject, "it is missing")
            .costs(
                "kubelet starts main without waiting for the watcher: a main of some milliseconds may end before the \
                 watcher is attached",
            )
            .mend(advice);
    };
    let program = probe
        .command
        .first()
        .and_then(|path| path.rsplit('/').next());
    let asks_us = program.is_some_and(|name| COPILOT.contains(&name))
        && probe.command.iter().any(|word| word == "ready");
    if !asks_us {
        let command = if probe.command.is_empty() {
            "no command".to_owned()
        } else {
            probe.command.join(" ")
        };
        return Finding::degraded(GROUP, subject, format!("it runs {command}, and not `copilot ready`"))
            .costs("it does not tell whether the watcher is attached; a probe that fails has kubelet restart the sidecar")
            .mend(advice);
    }
    if probe.patience_seconds < LITTLE_PATIENCE {
        return Finding::degraded(
            GROUP,
            subject,
            format!(
                "kubelet restarts the sidecar after {} s",
                probe.patience_seconds
            ),
        )
        .costs("on a busy node the attach may take longer, and then main starts late or never")
        .mend(advice);
    }
    Finding::ok(
        GROUP,
        subject,
        "main starts only after the watcher is attached",
    )
}

/// Which watcher it will have.
pub(super) fn watcher(
    request: Option<&SidecarRequest>,
    manifest: &Manifest,
    allows_ebpf: bool,
) -> Finding {
    let subject = "watcher";
    let wanted = request.map_or(&[Watcher::Auto][..], |request| &request.track.watchers);
    let sees_pids = manifest.shares_pids || request.is_some_and(|it| it.track.proc_root.is_some());
    let named = |watcher| wanted.contains(&watcher);
    if named(Watcher::Ebpf) && !allows_ebpf {
        return Finding::fails(
            GROUP,
            subject,
            "--watcher ebpf, and the container may not use BPF",
        )
        .costs("the sidecar ends with exit code 2, again and again, and main never starts")
        .mend("give it the capabilities, or use --watcher auto");
    }
    let by_pid = [Watcher::Pidfd, Watcher::Proc]
        .into_iter()
        .find(|it| named(*it));
    if let Some(watcher) = by_pid.filter(|_| !sees_pids) {
        let found = format!(
            "--watcher {}, and the pod does not share pids",
            watcher.name()
        );
        return Finding::fails(GROUP, subject, found)
            .costs("the sidecar ends with exit code 2, again and again, and main never starts")
            .mend("shareProcessNamespace: true, or use --watcher auto");
    }
    if named(Watcher::KubeApi) && manifest.has_no_token {
        return Finding::fails(
            GROUP,
            subject,
            "--watcher kube-api, and automountServiceAccountToken: false",
        )
        .costs("the API refuses the sidecar")
        .mend("automountServiceAccountToken: true, with the rights of deploy/kube-api.yaml");
    }
    if !named(Watcher::Auto) && wanted != [Watcher::Marker] {
        let all: Vec<&str> = wanted.iter().map(|it| it.name()).collect();
        return Finding::ok(
            GROUP,
            subject,
            format!("{}, as --watcher says", all.join(",")),
        );
    }
    if allows_ebpf {
        return Finding::ok(
            GROUP,
            subject,
            "ebpf, where the node allows it: start and end within microseconds",
        );
    }
    let remedy = "runAsUser: 0 with capabilities {add: [BPF, PERFMON]} for the sidecar (in Flyte by the PodTemplate \
                  that `copilot template` prints)";
    if sees_pids {
        return Finding::degraded(GROUP, subject, "pidfd: the pod shares pids, and BPF is not allowed")
            .costs(
                "before Linux 6.15 main's exit status is not known, and a main of a few milliseconds may be missed",
            )
            .mend(remedy);
    }
    Finding::degraded(GROUP, subject, "signal: nothing shows main to the sidecar")
        .costs(
            "main's end is known from SIGTERM only, about a second late, and its exit status is not known: its outputs \
             decide",
        )
        .mend(format!("{remedy}; or shareProcessNamespace: true in the pod"))
}

/// Whether the upload can end before kubelet kills the sidecar: a native sidecar gets SIGTERM when main has ended.
pub(super) fn grace(
    container: &Container,
    request: Option<&SidecarRequest>,
    manifest: &Manifest,
) -> Option<Finding> {
    let request = request.filter(|_| container.is_native())?;
    let subject = "grace period";
    let grace = Duration::from_secs(manifest.grace_seconds);
    let shown = format!("terminationGracePeriodSeconds: {}", manifest.grace_seconds);
    let cost = "kubelet kills the sidecar in the middle of an upload that takes longer, and no error document is written";
    Some(match request.timeout {
        Some(timeout) if timeout <= grace => Finding::ok(
            GROUP,
            subject,
            format!("{shown}, and --timeout {} s", timeout.as_secs()),
        ),
        Some(timeout) => Finding::degraded(
            GROUP,
            subject,
            format!("{shown} is less than --timeout, {} s", timeout.as_secs()),
        )
        .costs(cost)
        .mend(format!(
            "terminationGracePeriodSeconds: {}",
            timeout.as_secs()
        )),
        None => Finding::degraded(GROUP, subject, format!("{shown}, and no --timeout"))
            .costs(cost)
            .mend("--timeout, and a grace period as long"),
    })
}

/// The memory of a container of ours.
pub(super) fn memory(group: Group, container: &Container) -> Finding {
    let subject = "memory limit";
    match container.memory_limit {
        None => Finding::ok(group, subject, "none"),
        Some(limit) if limit < LITTLE_MEMORY => {
            Finding::degraded(group, subject, ByteCount(limit).to_string())
                .costs("the OOM killer may end this container during the attach or a large file")
                .mend("resources: {limits: {memory: 128Mi}}")
        }
        Some(limit) => Finding::ok(group, subject, ByteCount(limit).to_string()),
    }
}
