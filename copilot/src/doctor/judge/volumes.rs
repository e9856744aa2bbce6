//! The directories that we share with main: whether they are there, are volumes, may be used, and have room.

use crate::doctor::facts::{DirectoryFacts, Purpose, Reason, VolumeFacts};
use crate::doctor::{Finding, Group};
use crate::transfer::ByteCount;

const GROUP: Group = Group::Volumes;

/// With less room than this even metadata may not fit.
const LITTLE_ROOM: u64 = 1 << 20;

pub(super) fn judge(volumes: &[VolumeFacts]) -> Vec<Finding> {
    if volumes.is_empty() {
        let found = "no --from-local-dir or --to-local-dir names a directory";
        return vec![Finding::not_checked(GROUP, "directories", found)];
    }
    volumes.iter().flat_map(one).collect()
}

fn one(volume: &VolumeFacts) -> Vec<Finding> {
    let flag = match volume.purpose {
        Purpose::Outputs => "--from-local-dir",
        Purpose::Inputs => "--to-local-dir",
    };
    let subject = format!("{flag} {}", volume.path.display());
    match &volume.directory {
        Ok(directory) => vec![
            shared(&subject, volume.purpose, directory),
            room(&subject, volume.purpose, directory),
        ],
        Err(Reason(reason)) => vec![
            Finding::fails(GROUP, subject, format!("it cannot be opened: {reason}"))
                .mend("mount the volume that main mounts at this path"),
        ],
    }
}

fn shared(subject: &str, purpose: Purpose, directory: &DirectoryFacts) -> Finding {
    if let Err(Reason(reason)) = &directory.access {
        return Finding::fails(GROUP, subject, reason.clone());
    }
    if directory.is_volume == Some(false) {
        let cost = match purpose {
            Purpose::Outputs => "what main writes is not visible here, so every output is missing",
            Purpose::Inputs => "main does not see the inputs",
        };
        return Finding::fails(
            GROUP,
            subject,
            "no volume is mounted here: it lies in the container's own file system",
        )
        .costs(cost)
        .mend("mount the same volume in this container and in main");
    }
    let may = match purpose {
        Purpose::Outputs => "we may read it",
        Purpose::Inputs => "we may write there",
    };
    Finding::ok(GROUP, subject, may)
}

fn room(subject: &str, purpose: Purpose, directory: &DirectoryFacts) -> Finding {
    let room = &directory.room;
    let subject = format!("room of {subject}");
    let found = format!(
        "{} at {}: {} left of {}",
        room.kind,
        room.mount.display(),
        ByteCount(room.left),
        ByteCount(room.size)
    );
    match &directory.fits {
        Some((size, Err(Reason(reason)))) => {
            return Finding::fails(
                GROUP,
                subject,
                format!("{} do not fit (--expect-size): {reason}", ByteCount(*size)),
            );
        }
        Some((size, Ok(()))) => {
            return Finding::ok(
                GROUP,
                subject,
                format!("{found}; {} fit (--expect-size)", ByteCount(*size)),
            );
        }
        None => {}
    }
    if room.left < LITTLE_ROOM || room.files_left == 0 {
        let found = format!("{found}, and {} more files", room.files_left);
        let cost = match purpose {
            Purpose::Outputs => "main cannot write its outputs",
            Purpose::Inputs => "the inputs do not fit",
        };
        let remedy = if room.in_memory {
            "a larger sizeLimit of the emptyDir and a higher memory limit, or an emptyDir without medium: Memory"
        } else {
            "a larger volume, or a node with more disk"
        };
        return Finding::fails(GROUP, subject, found)
            .costs(cost)
            .mend(remedy);
    }
    if purpose == Purpose::Inputs {
        let found = format!("{found}; --expect-size SIZE checks whether the inputs fit");
        return Finding::ok(GROUP, subject, found);
    }
    Finding::ok(GROUP, subject, found)
}
