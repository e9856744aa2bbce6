//! The volumes that containers of ours share with main.

use std::path::Path;

use super::manifest::{Container, Manifest, VolumeMount};
use crate::doctor::facts::Purpose;
use crate::doctor::{Finding, Group};
use crate::transfer::ByteCount;

/// The mount that holds a path of a container.
pub(super) fn mount_of<'a>(container: &'a Container, path: &Path) -> Option<&'a VolumeMount> {
    let around = container
        .mounts
        .iter()
        .filter(|mount| path.starts_with(&mount.path));
    around.max_by_key(|mount| mount.path.components().count())
}

/// Whether two mounts show common files.
pub(super) fn overlap(one: &VolumeMount, other: &VolumeMount) -> bool {
    let nested =
        one.sub_path.starts_with(&other.sub_path) || other.sub_path.starts_with(&one.sub_path);
    one.volume == other.volume && nested
}

/// Whether `ours` shares the directory at `path` with main.
pub(super) fn shared(
    purpose: Purpose,
    path: &Path,
    ours: &Container,
    main: Option<&Container>,
) -> Finding {
    let (group, flag, lost) = match purpose {
        Purpose::Outputs => (
            Group::Sidecar,
            "--from-local-dir",
            "what main writes is not visible to the sidecar, so every output is missing",
        ),
        Purpose::Inputs => (
            Group::Downloader,
            "--to-local-dir",
            "main does not see the inputs",
        ),
    };
    let subject = format!("{flag} {}", path.display());
    let Some(mount) = mount_of(ours, path) else {
        return Finding::fails(
            group,
            subject,
            format!("{} mounts no volume there", ours.name),
        )
        .costs(lost)
        .mend("mount the volume there that main mounts");
    };
    if purpose == Purpose::Inputs && mount.is_read_only {
        return Finding::fails(
            group,
            subject,
            format!("{} mounts {} read-only", ours.name, mount.volume),
        )
        .costs("no input can be written")
        .mend("readOnly: false for this mount");
    }
    let Some(main) = main else {
        return Finding::not_checked(
            group,
            subject,
            format!(
                "volume {}; it is not known which container is main",
                mount.volume
            ),
        );
    };
    let theirs: Vec<&VolumeMount> = main
        .mounts
        .iter()
        .filter(|theirs| overlap(theirs, mount))
        .collect();
    let Some(first) = theirs.first() else {
        return Finding::fails(
            group,
            subject,
            format!("{} does not mount the volume {}", main.name, mount.volume),
        )
        .costs(lost)
        .mend(format!("mount {} in {}", mount.volume, main.name));
    };
    if purpose == Purpose::Outputs && theirs.iter().all(|theirs| theirs.is_read_only) {
        return Finding::fails(
            group,
            subject,
            format!("{} mounts {} read-only", main.name, mount.volume),
        )
        .costs("main cannot write its outputs")
        .mend("readOnly: false for main's mount");
    }
    Finding::ok(
        group,
        subject,
        format!(
            "volume {}, which {} has at {}",
            mount.volume,
            main.name,
            first.path.display()
        ),
    )
}

/// Whether a volume in memory fits into the memory limit of the container that writes to it: its pages count there.
pub(super) fn memory(
    group: Group,
    path: &Path,
    writer: &Container,
    manifest: &Manifest,
) -> Option<Finding> {
    let mount = mount_of(writer, path)?;
    let volume = manifest
        .volumes
        .iter()
        .find(|volume| volume.name == mount.volume)?;
    let limit = writer.memory_limit.filter(|_| volume.in_memory)?;
    let subject = format!("memory for the volume {}", volume.name);
    let size = volume.size_limit;
    if size.is_some_and(|size| size < limit) {
        return None;
    }
    let size = size.map_or("no sizeLimit".to_owned(), |size| {
        format!("a sizeLimit of {}", ByteCount(size))
    });
    let found = format!(
        "it lies in memory with {size}, and counts against the limit of {}, {}",
        writer.name,
        ByteCount(limit)
    );
    Some(
        Finding::degraded(group, subject, found)
            .costs("data that comes near the limit fails the run")
            .mend("a memory limit above the sizeLimit, or an emptyDir without medium: Memory"),
    )
}
