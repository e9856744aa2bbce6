//! Turns a pod of the API into events: kubelet's report of each container. Pure.
//!
//! The same pod always yields the same events, so an event may come twice. A container gets the id that
//! the other sources use, so that events of several sources concern the same container; a shared volume
//! is described like our own mounts, for the same reason.

use std::path::{Path, PathBuf};

use super::{
    clock::Clock,
    pod::{
        ContainerSpec, ContainerState, ContainerStateTerminated, ContainerStatus, Pod, VolumeMount,
    },
    status,
};
use crate::track::{
    ContainerId, Event, ExitStatus,
    identify::Manifest,
    mounts::{Mount, MountEvidence},
    place::{Place, PodPath},
};

/// The device of a volume that is known from the manifest only.
const VOLUME: &str = "volume";

/// Our own position in the pod, from which its containers become events.
#[derive(Clone, Debug)]
pub struct PodView {
    /// The pod's uid, as the mounts of all its containers hold it.
    uid: Option<String>,
    /// All containers share one cgroup, so the other sources identify them by name.
    by_name: bool,
    /// Our own container: its name, and the id that the other sources use.
    own: Option<(String, Option<ContainerId>)>,
    output: Option<Output>,
}

/// The volume that holds our output directory.
#[derive(Clone, Debug)]
struct Output {
    volume: String,
    /// The whole volume, as our own mounts would show it.
    base: Mount,
    /// The part that we mount.
    mount: Mount,
}

impl PodView {
    /// The view from our place, if that is known; `output` is our output directory, an absolute path
    /// without links.
    pub fn new(pod: &Pod, place: Option<&Place>, output: Option<&Path>) -> Self {
        let evidence = place.map(|place| &place.evidence);
        let mut view = Self {
            uid: evidence
                .and_then(|evidence| evidence.pod_uid.clone())
                .or_else(|| pod.metadata.uid.clone()),
            by_name: place.is_some_and(|place| matches!(place.pod, PodPath::SharedCgroup { .. })),
            own: own(pod, place),
            output: None,
        };
        view.output = output.and_then(|output| view.output_volume(pod, evidence, output));
        view
    }

    /// Our own container's name.
    pub fn own_name(&self) -> Option<&str> {
        self.own.as_ref().map(|(name, _)| name.as_str())
    }

    /// The facts about main in the manifest.
    pub fn manifest(&self, pod: &Pod) -> Manifest {
        let name = |each: &ContainerSpec| each.name.clone();
        let init = pod.spec.init_containers.iter().map(name);
        let sidecars = pod.spec.containers.iter();
        let sidecars = sidecars.filter(|each| each.is_sidecar()).map(name);
        Manifest {
            pod_name: pod.metadata.name.clone().unwrap_or_default(),
            never_main: init
                .chain(sidecars)
                .chain(self.own_name().map(str::to_owned))
                .collect(),
            output_mount: self.output.as_ref().map(|output| output.mount.clone()),
        }
    }

    /// Kubelet's report of the containers, as events.
    pub fn events(&self, pod: &Pod, clock: Clock) -> Vec<Event> {
        let mut events = Vec::new();
        for status in statuses(pod) {
            let before = self.id(status, &status.last_state);
            let now = self.id(status, &status.state);
            let mut add = |container: &ContainerId, state: &ContainerState| {
                events.push(Event::ContainerSeen {
                    container: container.clone(),
                    evidence: Some(self.evidence(pod, &status.name)),
                });
                events.extend(run_events(container, state, clock));
            };
            if let Some(before) = before.filter(|_| status.last_state.terminated.is_some()) {
                add(&before, &status.last_state);
            }
            if let Some(now) = now {
                add(&now, &status.state);
            }
        }
        events
    }

    /// The containers that do not run yet, each with kubelet's reason and message.
    pub fn waiting(pod: &Pod) -> impl Iterator<Item = (&str, &str, &str)> {
        statuses(pod).filter_map(|status| {
            let waiting = status.state.waiting.as_ref()?;
            Some((
                status.name.as_str(),
                waiting.reason.as_str(),
                waiting.message.as_str(),
            ))
        })
    }

    /// The id that the other sources use for this container in this state; `None` before the runtime has
    /// made it.
    fn id(&self, status: &ContainerStatus, state: &ContainerState) -> Option<ContainerId> {
        if let Some((name, Some(id))) = &self.own
            && *name == status.name
        {
            return Some(id.clone());
        }
        let ended = state.terminated.as_ref();
        let id = ended
            .map(|ended| ended.container_id.as_str())
            .filter(|id| !id.is_empty())
            .unwrap_or(&status.container_id);
        if !id.is_empty() && !self.by_name {
            return Some(ContainerId::new(runtimes_id(id)));
        }
        // No other source reports a container that kubelet gave up before it was made.
        let is_known = !id.is_empty() || ended.is_some();
        is_known.then(|| ContainerId::new(&status.name))
    }

    fn evidence(&self, pod: &Pod, name: &str) -> MountEvidence {
        let mounts = self.output.iter().flat_map(|output| {
            spec(pod, name)
                .into_iter()
                .flat_map(|spec| &spec.volume_mounts)
                .filter(|mount| mount.name == output.volume)
                .map(|mount| output.seen_through(mount))
        });
        MountEvidence {
            name: Some(name.to_owned()),
            pod_uid: self.uid.clone(),
            mounts: mounts.collect(),
            ..MountEvidence::default()
        }
    }

    fn output_volume(
        &self,
        pod: &Pod,
        evidence: Option<&MountEvidence>,
        output: &Path,
    ) -> Option<Output> {
        let ours = spec(pod, self.own_name()?)?
            .volume_mounts
            .iter()
            .filter(|mount| output.starts_with(&mount.mount_path))
            .max_by_key(|mount| Path::new(&mount.mount_path).components().count())?;
        let known = evidence
            .filter(|evidence| evidence.is_of_a_pod())
            .and_then(|evidence| evidence.mount_of(output));
        let mount = known.cloned().unwrap_or_else(|| Mount {
            device: VOLUME.to_owned(),
            root: Path::new("/")
                .join(&ours.name)
                .join(relative(&ours.sub_path)),
            target: PathBuf::from(&ours.mount_path),
        });
        let base = Mount {
            root: without(&mount.root, relative(&ours.sub_path)),
            ..mount.clone()
        };
        Some(Output {
            volume: ours.name.clone(),
            base,
            mount,
        })
    }
}

impl Output {
    /// The mount of another container, as its own mounts would show it. A part of the volume that only
    /// kubelet can name (`subPathExpr`) counts as the whole volume.
    fn seen_through(&self, mount: &VolumeMount) -> Mount {
        Mount {
            device: self.base.device.clone(),
            root: self.base.root.join(relative(&mount.sub_path)),
            target: PathBuf::from(&mount.mount_path),
        }
    }
}

/// The events of a container that runs or has ended.
fn run_events(container: &ContainerId, state: &ContainerState, clock: Clock) -> Vec<Event> {
    let started = |time| Event::ContainerStarted {
        container: container.clone(),
        at: clock.moments(time).1,
    };
    if let Some(ended) = &state.terminated {
        let start = ended.started_at.as_ref().filter(|_| has_run(ended));
        let (alive, at) = clock.moments(ended.finished_at.as_ref());
        let exit = Event::ContainerExited {
            container: container.clone(),
            status: status::exit_status(ended),
            at,
            alive,
        };
        return start
            .map(|time| started(Some(time)))
            .into_iter()
            .chain([exit])
            .collect();
    }
    let running = state.running.as_ref();
    running
        .map(|running| started(running.started_at.as_ref()))
        .into_iter()
        .collect()
}

fn has_run(ended: &ContainerStateTerminated) -> bool {
    let began = ended.started_at.as_ref();
    status::exit_status(ended) != ExitStatus::NotStarted
        && began.is_some_and(|time| time.0.as_second() > 0)
}

/// Our own container, by the name in our mounts, otherwise by its id.
fn own(pod: &Pod, place: Option<&Place>) -> Option<(String, Option<ContainerId>)> {
    let place = place?;
    let by_id = || {
        let own = place.own.as_ref()?;
        statuses(pod)
            .find(|status| ContainerId::new(runtimes_id(&status.container_id)) == *own)
            .map(|status| status.name.clone())
    };
    let name = place.evidence.name.clone().or_else(by_id)?;
    Some((name, place.own.clone()))
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().flat_map(|status| {
        status
            .init_container_statuses
            .iter()
            .chain(&status.container_statuses)
    })
}

fn spec<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerSpec> {
    let spec = &pod.spec;
    let mut all = spec.init_containers.iter().chain(&spec.containers);
    all.find(|each| each.name == name)
}

/// The id within `runtime://id`.
fn runtimes_id(address: &str) -> &str {
    address.split_once("://").map_or(address, |(_, id)| id)
}

/// A path below a volume.
fn relative(path: &str) -> &Path {
    Path::new(path.trim_start_matches('/'))
}

/// A path without this end, if it has that end.
fn without(path: &Path, end: &Path) -> PathBuf {
    if !path.ends_with(end) {
        return path.to_owned();
    }
    let ends = end.components().count();
    path.ancestors().nth(ends).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests;
