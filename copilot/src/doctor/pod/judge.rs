//! All findings about a manifest.

use std::path::Path;

use super::main_container;
use super::manifest::{Container, Manifest};
use super::mounts;
use super::parts::{Ours, Parts};
use super::rights::{self, Rights};
use super::sidecar;
use crate::doctor::facts::Purpose;
use crate::doctor::{ArgumentReader, Finding, Group};
use crate::sidecar::{SidecarRequest, UploadTarget};

/// Judges a manifest.
pub(super) fn judge(manifest: &Manifest, read: ArgumentReader) -> Vec<Finding> {
    let parts = Parts::of(manifest, read);
    let request = parts.sidecar.as_ref().and_then(Ours::sidecar);
    let output = request.and_then(|request| request.upload.as_ref());
    let output = output.map(UploadTarget::from_local_dir);
    let holder = parts
        .sidecar
        .as_ref()
        .map(|ours| ours.container)
        .zip(output);
    let found = main_container::find(manifest, &parts.others, request, holder);
    let main = found.mains.first().copied();
    let mut findings = pod(manifest, &parts);
    match &parts.sidecar {
        Some(ours) => findings.extend(of_sidecar(ours, request, output, main, manifest)),
        None => findings.push(
            Finding::not_checked(
                Group::Sidecar,
                "sidecar",
                "no container runs `copilot sidecar`",
            )
            .costs("no output is uploaded")
            .mend("if the task declares outputs, add it"),
        ),
    }
    if let Some(ours) = &parts.downloader {
        findings.extend(of_downloader(ours, main, manifest));
    }
    findings.extend(main_container::judge(manifest, &found));
    let regular = parts.others.iter().filter(|other| !other.is_init);
    findings.extend(regular.filter_map(|other| rights::of_main(other, manifest)));
    findings
}

fn pod(manifest: &Manifest, parts: &Parts<'_>) -> Vec<Finding> {
    let group = Group::Pod;
    let names: Vec<&str> = manifest
        .containers
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let mut findings = vec![Finding::ok(group, "containers", names.join(", "))];
    let sidecar = parts.sidecar.as_ref();
    let allows_ebpf = sidecar
        .is_some_and(|ours| rights::allow_ebpf(Rights::of(ours.container, manifest), manifest));
    let subject = "pid namespace";
    findings.push(if manifest.shares_pids {
        Finding::ok(group, subject, "shared by the containers")
    } else if allows_ebpf {
        Finding::ok(
            group,
            subject,
            "one for each container, which ebpf does not mind",
        )
    } else {
        Finding::degraded(
            group,
            subject,
            "one for each container: the sidecar sees no process of main",
        )
        .costs("the watchers pidfd and proc do not work")
        .mend("shareProcessNamespace: true")
    });
    let policy = manifest.restart_policy.as_deref();
    if policy != Some("Never") && manifest.name.is_some() {
        let found = format!("restartPolicy: {}", policy.unwrap_or("Always, by default"));
        findings.push(
            Finding::degraded(group, "restart policy", found)
                .costs("kubelet starts a failed main again, after the sidecar has reported its failure")
                .mend("restartPolicy: Never"),
        );
    }
    findings
}

fn of_sidecar(
    ours: &Ours<'_>,
    request: Option<&SidecarRequest>,
    output: Option<&Path>,
    main: Option<&Container>,
    manifest: &Manifest,
) -> Vec<Finding> {
    let group = Group::Sidecar;
    let container = ours.container;
    let rights = Rights::of(container, manifest);
    let main_user = main.and_then(|main| Rights::of(main, manifest).user());
    let mut findings = vec![arguments(group, ours)];
    findings.extend(sidecar::order(container, ours.job.is_none()));
    let allows_ebpf = rights::allow_ebpf(rights, manifest);
    findings.push(sidecar::watcher(request, manifest, allows_ebpf));
    findings.extend(rights::judge(rights, manifest, main_user));
    findings.extend(output.map(|path| mounts::shared(Purpose::Outputs, path, container, main)));
    findings.push(sidecar::memory(group, container));
    // Main writes the outputs, so its limit counts.
    let memory = main.zip(output).and_then(|(main, path)| {
        let volume = &mounts::mount_of(container, path)?.volume;
        let theirs = main.mounts.iter().find(|mount| &mount.volume == volume)?;
        mounts::memory(Group::Main, &theirs.path, main, manifest)
    });
    findings.extend(memory);
    findings.extend(sidecar::grace(container, request, manifest));
    findings
}

fn of_downloader(ours: &Ours<'_>, main: Option<&Container>, manifest: &Manifest) -> Vec<Finding> {
    let group = Group::Downloader;
    let container = ours.container;
    let directory = ours.input_directory();
    let streams = ours.streams();
    let mut findings = vec![arguments(group, ours)];
    let subject = "kind";
    findings.push(match (container.is_init, container.always_restarts, streams) {
        (false, _, _) => Finding::degraded(group, subject, "an ordinary container, which starts together with main")
            .costs("main may look for its inputs before they are there")
            .mend("make it an init container"),
        (true, false, true) => Finding::fails(
            group,
            subject,
            "an init container without restartPolicy: Always, and --download-mode DOWNLOAD_STREAM",
        )
        .costs("it ends only after main has ended, and main starts only after it has ended: the pod hangs")
        .mend("restartPolicy: Always and a startup probe, or another --download-mode"),
        (true, true, false) if directory.is_some() => Finding::degraded(
            group,
            subject,
            "a native sidecar, and --download-mode is not DOWNLOAD_STREAM",
        )
        .costs("main starts before its inputs are there, and kubelet starts the downloader again when it ends")
        .mend("remove restartPolicy, or use --download-mode DOWNLOAD_STREAM"),
        _ => Finding::ok(group, subject, "an init container: main starts when it is ready"),
    });
    if streams && container.is_native() && container.startup_probe.is_none() {
        findings.push(
            Finding::degraded(group, "startup probe", "it is missing")
                .costs("main starts before the metadata files are there")
                .mend("startupProbe: {exec: {command: [/copilot, ready]}, periodSeconds: 1, failureThreshold: 600}"),
        );
    }
    if let Some(path) = directory {
        findings.push(mounts::shared(Purpose::Inputs, path, container, main));
        findings.extend(mounts::memory(group, path, container, manifest));
    }
    findings.push(sidecar::memory(group, container));
    findings
}

/// Whether our program takes the arguments.
fn arguments(group: Group, ours: &Ours<'_>) -> Finding {
    let subject = "arguments";
    match (ours.refusal(), &ours.job) {
        (Some(refused), _) => {
            Finding::fails(group, subject, refused.to_string()).costs("the container ends at once")
        }
        (None, Some(_)) => Finding::ok(
            group,
            subject,
            format!("{} takes them", ours.container.name),
        ),
        (None, None) => Finding::not_checked(
            group,
            subject,
            format!(
                "{} has none here; the platform adds them",
                ours.container.name
            ),
        ),
    }
}
