//! The results of a pod: kubelet's status, the objects in the store, the sidecar's timeline and log.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use copilot::idl::{ContainerError, LiteralMap, decode_error_document, decode_literal_map};
use serde_json::Value;

use super::manifest::{BUCKET, PodNames};
use super::status::Pod;
use crate::s3::S3Server;

/// Logs of a pod's containers, kept open: kubelet removes the files of a pod that is deleted.
#[derive(Debug, Default)]
pub struct Logs(BTreeMap<String, File>);

impl Logs {
    /// Opens the log files that are new since the last call. `pods` is the node's folder of pods' logs.
    pub fn look(&mut self, pods: &Path, uid: &str) {
        for pod in entries(pods) {
            if !pod.to_string_lossy().ends_with(uid) {
                continue;
            }
            for file in entries(&pod)
                .iter()
                .flat_map(|container| entries(container))
            {
                let name = file
                    .strip_prefix(&pod)
                    .unwrap_or(&file)
                    .display()
                    .to_string();
                if !self.0.contains_key(&name)
                    && let Ok(opened) = File::open(&file)
                {
                    self.0.insert(name, opened);
                }
            }
        }
    }

    /// The log of a container, including earlier starts.
    #[must_use]
    pub fn of(&self, container: &str) -> String {
        let begin = format!("{container}/");
        let own = self.0.iter().filter(|(name, _)| name.starts_with(&begin));
        own.map(|(_, file)| text(file)).collect()
    }

    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> BTreeMap<&str, String> {
        self.0
            .iter()
            .map(|(name, file)| (name.as_str(), text(file)))
            .collect()
    }
}

/// The lines of a log without the prefix from the container runtime.
fn text(file: &File) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 8192];
    while let Ok(count @ 1..) = file.read_at(&mut piece, bytes.len() as u64) {
        bytes.extend_from_slice(&piece[..count]);
    }
    let text = String::from_utf8_lossy(&bytes);
    let line = |line: &str| {
        // Time, stream, whether this is a part (P) or the end of a line (F), and the text.
        let mut words = line.splitn(4, ' ').skip(2);
        let end = if words.next() == Some("P") { "" } else { "\n" };
        format!("{}{end}", words.next().unwrap_or_default())
    };
    text.lines().map(line).collect()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect()
}

/// All results of a pod.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The last status from kubelet.
    pub pod: Pod,
    /// The sidecar's log.
    pub log: String,
    /// Its timeline.
    pub timeline: Value,
    /// `outputs.pb`, if it exists.
    pub outputs: Option<LiteralMap>,
    /// The message of the error document, if it exists.
    pub error: Option<ContainerError>,
    /// Errors from reading these.
    pub broken: Vec<String>,
    /// When `outputs.pb` was written.
    pub committed: Option<SystemTime>,
    /// The time of main's last action.
    pub ended: Option<SystemTime>,
    /// The inode numbers of the cgroups of containers that were seen running, by container id.
    pub cgroups: BTreeMap<String, u64>,
    /// Whether the API server caches changes of pods.
    pub caches_watches: bool,
    /// The results of a Job's first try.
    pub first_try: Option<Box<Evidence>>,
    /// Why the pod did not end in time, or could not run.
    pub stuck: Option<String>,
}

impl Evidence {
    /// Reads the objects in the store and the files in the pod's folder.
    #[must_use]
    pub fn collect(store: &S3Server, names: &PodNames, folder: &Path) -> Self {
        let mut found = Self::default();
        let object = |name: &str| store.file(BUCKET, &format!("{}/out/{name}", names.prefix));
        if let Some(bytes) = bytes(&object("outputs.pb")) {
            match decode_literal_map(bytes.as_slice()) {
                Ok(map) => found.outputs = Some(map),
                Err(error) => found.broken.push(format!("outputs.pb: {error}")),
            }
            found.committed = modified(&object("outputs.pb"));
        }
        if let Some(bytes) = bytes(&object("error.pb")) {
            match decode_error_document(bytes.as_slice()) {
                Ok(document) => found.error = document.error,
                Err(error) => found.broken.push(format!("error.pb: {error}")),
            }
        }
        if let Some(bytes) = bytes(&folder.join("timeline/timeline.json")) {
            match serde_json::from_slice(&bytes) {
                Ok(timeline) => found.timeline = timeline,
                Err(error) => found.broken.push(format!("timeline: {error}")),
            }
        }
        found.ended = modified(&folder.join("stamps/end"));
        found
    }

    /// A value from the timeline.
    #[must_use]
    pub fn noted(&self, name: &str) -> &str {
        self.timeline[name].as_str().unwrap_or_default()
    }

    /// Milliseconds from main's last action to the commit, from the times of the files.
    #[must_use]
    pub fn lateness(&self) -> Option<f64> {
        let (ended, committed) = (self.ended?, self.committed?);
        let late = committed.duration_since(ended).unwrap_or_default();
        Some(late.as_secs_f64() * 1e3)
    }
}

fn bytes(file: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file).ok()?.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}
