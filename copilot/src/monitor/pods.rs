//! The pods that are watched: one, or all that the node's cgroups show.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use futures_util::future::select_all;
use procfs::process::Process;
use tracing::warn;

use super::MonitorError;
use super::request::MonitorRequest;
use crate::beneath::SharedDirectory;
use crate::track::attach::{Attachment, attach_sources};
use crate::track::place::cgroup::names_a_pod;
use crate::track::source::Sources;
use crate::track::{AttachError, Event, TrackOptions, Tracker, Transition};

/// How many pods are watched at once; kubelet runs 110 unless it is told otherwise.
const MOST_PODS: usize = 256;

/// How deep below the hierarchy's root pods may lie.
const DEEPEST: usize = 8;

/// A pod that is watched.
pub struct WatchedPod {
    /// Its cgroup's name, if several are watched.
    pub name: Option<String>,
    /// What is known of it.
    pub tracker: Tracker,
    sources: Sources,
    directory: Option<PathBuf>,
}

impl WatchedPod {
    /// Attaches the sources to the pod of the options.
    async fn attach(
        options: &TrackOptions,
        outputs: Option<&SharedDirectory>,
    ) -> Result<Self, AttachError> {
        let Attachment {
            selection,
            mut rules,
            place,
        } = attach_sources(options, outputs).await?;
        // In another pod our own names and mounts say nothing.
        if place.as_ref().is_ok_and(|place| place.own.is_none()) {
            (rules.pod_uid, rules.output_mount, rules.host_name) = (None, None, None);
        }
        Ok(Self {
            name: None,
            tracker: Tracker::new(rules),
            sources: selection.sources,
            directory: None,
        })
    }
}

/// All pods that are watched.
pub struct WatchedPods {
    pods: Vec<WatchedPod>,
    options: TrackOptions,
    /// Pods that could not be attached to: each is reported once.
    refused: Vec<PathBuf>,
}

impl WatchedPods {
    /// Attaches to the pod of the request; with `--all` [`renew`](Self::renew) attaches to all.
    ///
    /// # Errors
    /// The sources do not work here.
    pub async fn attach(request: &MonitorRequest) -> Result<Self, MonitorError> {
        let mut pods = Vec::new();
        if !request.all {
            let outputs = request.outputs.as_deref().map(SharedDirectory::at);
            let pod = WatchedPod::attach(&request.track, outputs.as_ref()).await?;
            if !pod.sources.emit() {
                return Err(MonitorError::Blind(pod.sources.names()));
            }
            pods.push(pod);
        }
        Ok(Self {
            pods,
            options: request.track.clone(),
            refused: Vec::new(),
        })
    }

    /// The pods, in the order in which they came.
    #[must_use]
    pub fn pods(&self) -> &[WatchedPod] {
        &self.pods
    }

    /// The next event of any pod, with the pod's index and the source; waits for ever without pods. Cancel safe: no
    /// event is lost.
    pub async fn next(&mut self) -> (usize, &'static str, Event) {
        if self.pods.is_empty() {
            return std::future::pending().await;
        }
        let each = self.pods.iter_mut().map(|pod| Box::pin(pod.sources.next()));
        let ((source, event), index, _) = select_all(each).await;
        (index, source, event)
    }

    /// Takes an event of the pod at `index`.
    pub fn observe(&mut self, index: usize, event: Event) -> Vec<Transition> {
        self.pods[index].tracker.observe(event)
    }

    /// Attaches to one pod that has come, and forgets those that are gone. Returns the names of both. One at a time:
    /// an attach takes a while, and events of the others wait meanwhile.
    ///
    /// # Errors
    /// The node's cgroups cannot be read, or no watcher that works here shows a pod.
    pub async fn renew(&mut self) -> Result<(Option<String>, Vec<String>), MonitorError> {
        let found = pods_below(&cgroup2()?)?;
        let is_there =
            |pod: &WatchedPod| pod.directory.as_ref().is_none_or(|it| found.contains(it));
        let gone = self.pods.iter().filter(|pod| !is_there(pod));
        let gone = gone.filter_map(|pod| pod.name.clone()).collect();
        self.pods.retain(is_there);
        self.refused.retain(|directory| found.contains(directory));
        for directory in found {
            let is_known = self.refused.contains(&directory)
                || self
                    .pods
                    .iter()
                    .any(|pod| pod.directory.as_ref() == Some(&directory));
            if is_known || self.pods.len() >= MOST_PODS {
                continue;
            }
            let options = TrackOptions {
                pod_cgroup: Some(directory.clone()),
                ..self.options.clone()
            };
            match WatchedPod::attach(&options, None).await {
                Ok(pod) if pod.sources.emit() => {
                    let name = directory.file_name().unwrap_or_default();
                    let name = name.to_string_lossy().into_owned();
                    self.pods.push(WatchedPod {
                        name: Some(name.clone()),
                        directory: Some(directory),
                        ..pod
                    });
                    return Ok((Some(name), gone));
                }
                Ok(pod) if self.pods.is_empty() => {
                    return Err(MonitorError::Blind(pod.sources.names()));
                }
                Err(error @ AttachError::Watcher(_)) if self.pods.is_empty() => {
                    return Err(error.into());
                }
                refused => {
                    let reason = refused.err().map(|error| error.to_string());
                    warn!(?reason, pod = %directory.display(), "a pod is not watched");
                    self.refused.push(directory);
                }
            }
        }
        Ok((None, gone))
    }
}

/// Where the cgroup2 hierarchy is mounted.
fn cgroup2() -> Result<PathBuf, MonitorError> {
    let mounts = Process::myself().and_then(|myself| myself.mountinfo());
    let mounts = mounts.map_err(MonitorError::Mounts)?;
    let is_whole =
        |mount: &procfs::process::MountInfo| mount.fs_type == "cgroup2" && mount.root == "/";
    let found = mounts.0.into_iter().find(is_whole);
    found
        .map(|mount| mount.mount_point)
        .ok_or(MonitorError::NoCgroups)
}

/// The directories of pods below this one, `MOST_PODS` at most.
fn pods_below(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut pods = Vec::new();
    let mut left = vec![(root.to_owned(), 0)];
    while let Some((directory, depth)) = left.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            // It has gone meanwhile.
            Err(_) if depth > 0 => continue,
            Err(error) => return Err(error),
        };
        for entry in entries.filter_map(Result::ok) {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let path = entry.path();
            if names_a_pod(&entry.file_name().to_string_lossy()) {
                if pods.len() < MOST_PODS {
                    pods.push(path);
                }
            } else if depth < DEEPEST {
                left.push((path, depth + 1));
            }
        }
    }
    pods.sort();
    Ok(pods)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_found_by_kubelets_names_of_both_drivers() {
        let root = tempfile::tempdir().unwrap();
        let uid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
        let slice = format!("kubepods-pod{}.slice", uid.replace('-', "_"));
        let pods = [
            format!("kubepods/besteffort/pod{uid}"),
            format!("kubepods.slice/{slice}"),
        ];
        for path in [
            &pods[0],
            &pods[1],
            "system.slice/ssh.service",
            &format!("{}/c1", pods[0]),
        ] {
            fs::create_dir_all(root.path().join(path)).unwrap();
        }
        let found = pods_below(root.path()).unwrap();
        let mut expected: Vec<PathBuf> = pods.iter().map(|pod| root.path().join(pod)).collect();
        expected.sort();
        assert_eq!(found, expected);
        assert!(pods_below(&root.path().join("none")).is_err());
    }
}
