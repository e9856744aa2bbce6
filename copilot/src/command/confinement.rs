//! What a job still needs once its watcher is attached: from its request to [`Needs`].

use std::path::{Path, PathBuf};

use super::request::Global;
use super::times;
use crate::confine::{Needs, Writes, give_up};
use crate::download::DownloadRequest;
use crate::download::tree::TreeDownloadRequest;
use crate::sidecar::{SidecarRequest, UploadTarget};
use crate::store::{Reference, Stores};
use crate::track::Watch;
use crate::upload::UploadMode;

/// Gives up what a download does not need; with `watch`, one that goes on while main runs.
pub(super) async fn for_download(
    global: &Global,
    request: &DownloadRequest,
    stores: &Stores,
    watch: Option<&Watch>,
) {
    let mut writes = writes(global, stores, request.timeline.as_deref());
    writes.directories.push(request.to_local_dir.clone());
    let own_directory = local_directory(stores, &request.to_output_prefix);
    writes.directories.extend(own_directory);
    // How main was ended does not matter to it, so it looks for that into no process.
    let looks = watch.is_some_and(Watch::looks_for_kin);
    let needs = Needs {
        looks,
        bpf: watch.is_some_and(Watch::uses_bpf),
        leases: false,
        replaces: true,
        writes: Some(writes),
    };
    give_up(&needs).await;
}

/// Gives up what a download without Flyte does not need.
pub(super) async fn for_tree_download(
    global: &Global,
    request: &TreeDownloadRequest,
    stores: &Stores,
) {
    let mut writes = writes(global, stores, request.timeline.as_deref());
    writes.directories.push(request.to_local_dir.clone());
    let needs = Needs {
        looks: false,
        bpf: false,
        leases: false,
        replaces: true,
        writes: Some(writes),
    };
    give_up(&needs).await;
}

/// Gives up what a sidecar does not need.
pub(super) async fn for_sidecar(
    global: &Global,
    request: &SidecarRequest,
    stores: &Stores,
    watch: &Watch,
) {
    give_up(&needs_of_sidecar(global, request, stores, watch)).await;
}

/// What a sidecar still needs.
pub(super) fn needs_of_sidecar(
    global: &Global,
    request: &SidecarRequest,
    stores: &Stores,
    watch: &Watch,
) -> Needs {
    let mut writes = writes(global, stores, request.timeline.as_deref());
    let mut replaces = false;
    if let Some(target) = &request.upload {
        writes.directories.push(target.from_local_dir().to_owned());
        let prefixes = match target {
            UploadTarget::Outputs(target) => [
                Some(&target.to_output_prefix),
                target.to_raw_output.as_ref(),
            ],
            UploadTarget::Tree(target) => [Some(&target.to), None],
        };
        for prefix in prefixes.into_iter().flatten() {
            let directory = local_directory(stores, prefix);
            replaces |= directory.is_some();
            writes.directories.extend(directory);
        }
    }
    Needs {
        looks: watch.looks_for_kin() || watch.looks_for_causes(),
        bpf: watch.uses_bpf(),
        leases: request.mode == UploadMode::Eager,
        replaces,
        writes: Some(writes),
    }
}

/// What every job writes: the termination message, and the timeline, which is written beside its place.
fn writes(global: &Global, stores: &Stores, timeline: Option<&Path>) -> Writes {
    let beside = timeline.and_then(|place| match times::prefix(place) {
        Some(prefix) => local_directory(stores, prefix),
        None => Some(times::directory(place)),
    });
    Writes {
        files: global.termination_log.iter().cloned().collect(),
        directories: beside.into_iter().collect(),
    }
}

/// The directory of a store of the local kind, which results go to.
fn local_directory(stores: &Stores, prefix: &str) -> Option<PathBuf> {
    stores.local_directory(&Reference::prefix(prefix).ok()?)
}
