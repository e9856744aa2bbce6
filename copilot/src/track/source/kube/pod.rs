//! The fields of a pod that we read, with Kubernetes' own names. The parser skips all others, and every
//! field that the API may omit is optional. Lists are bounded, because an item of two bytes of JSON
//! (`{}`) takes hundreds of bytes in memory.

use std::{fmt, marker::PhantomData};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

use crate::track::process::COPILOT;

/// The longest list: more containers, or volumes of a container, than a node can run.
const MOST: usize = 512;

/// A pod.
#[derive(Clone, Debug, Deserialize)]
pub struct Pod {
    /// Its identity and version.
    pub metadata: ObjectMeta,
    /// Its manifest.
    pub spec: PodSpec,
    /// Kubelet's report; `None` before kubelet knows the pod.
    #[serde(default)]
    pub status: Option<PodStatus>,
}

/// A pod's identity and version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    /// Its name.
    pub name: Option<String>,
    /// Its uid.
    pub uid: Option<String>,
    /// The version of this object.
    pub resource_version: Option<String>,
    /// The time at which it must be gone; `None` unless it is being deleted.
    pub deletion_timestamp: Option<Time>,
    /// Its annotations.
    pub annotations: Option<Annotations>,
}

/// The annotations that we read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Annotations {
    /// The uid of the static pod, if this object is a mirror of one.
    #[serde(rename = "kubernetes.io/config.hash")]
    pub mirrored: Option<String>,
}

/// A pod's manifest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    /// Init containers, native sidecars among them.
    #[serde(deserialize_with = "few")]
    pub init_containers: Vec<ContainerSpec>,
    /// The other containers.
    #[serde(deserialize_with = "few")]
    pub containers: Vec<ContainerSpec>,
}

/// A container in the manifest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerSpec {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// The program and its first arguments; none if the image's own program runs.
    pub command: Words,
    /// The arguments behind these.
    pub args: Words,
    /// The volumes that it mounts.
    #[serde(deserialize_with = "few")]
    pub volume_mounts: Vec<VolumeMount>,
}

impl ContainerSpec {
    /// Whether it runs our sidecar or the reference's: by its program, or by its image if that names the program.
    #[must_use]
    pub fn is_sidecar(&self) -> bool {
        let repository = self.image.rsplit('/').next().unwrap_or_default();
        let is_ours = match self.command.program {
            Some(is_ours) => is_ours,
            None => repository.contains(COPILOT[0]),
        };
        is_ours && (self.command.include_sidecar || self.args.include_sidecar)
    }
}

/// What we keep of a command line, which may be long and may hold secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Whether the first word is the path of our program or the reference's; `None` if there is no word.
    program: Option<bool>,
    /// Whether one of them is `sidecar`.
    include_sidecar: bool,
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordsVisitor)
    }
}

struct WordsVisitor;

impl<'de> Visitor<'de> for WordsVisitor {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of words")
    }

    fn visit_unit<E>(self) -> Result<Words, E> {
        Ok(Words::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
        let mut words = Words::default();
        while let Some(word) = list.next_element::<String>()? {
            let file = word.rsplit('/').next().unwrap_or_default();
            words.program.get_or_insert(COPILOT.contains(&file));
            words.include_sidecar |= word == "sidecar";
        }
        Ok(words)
    }
}

/// A volume, as one container mounts it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeMount {
    /// The volume's name.
    pub name: String,
    /// The path at which the container sees it.
    pub mount_path: String,
    /// The part of the volume that is mounted; empty for all of it.
    pub sub_path: String,
    /// The same, with variables that only kubelet can expand.
    pub sub_path_expr: String,
}

/// Kubelet's report of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// The reports of init containers.
    #[serde(deserialize_with = "few")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// The reports of the other containers.
    #[serde(deserialize_with = "few")]
    pub container_statuses: Vec<ContainerStatus>,
}

/// Kubelet's report of one container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// Its name.
    pub name: String,
    /// `runtime://id`; empty before the runtime has made it.
    #[serde(rename = "containerID")]
    pub container_id: String,
    /// Its present state.
    pub state: ContainerState,
    /// The end of its previous run, if it was started again.
    pub last_state: ContainerState,
}

/// One of three states; all are `None` before kubelet's first report.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerState {
    /// It does not run yet.
    pub waiting: Option<ContainerStateWaiting>,
    /// It runs.
    pub running: Option<ContainerStateRunning>,
    /// It has ended.
    pub terminated: Option<ContainerStateTerminated>,
}

/// Why a container does not run yet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStateWaiting {
    /// One word: `PodInitializing`, `ImagePullBackOff`.
    pub reason: String,
    /// The details.
    pub message: String,
}

/// A container's present run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStateRunning {
    /// The time of its start.
    pub started_at: Option<Time>,
}

/// A container's run that has ended.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStateTerminated {
    /// As the runtime reports it: 128 + n for a signal.
    pub exit_code: i32,
    /// The signal, from the few runtimes that report it.
    pub signal: i32,
    /// One word: `Completed`, `Error`, `OOMKilled`, `StartError`.
    pub reason: String,
    /// The details.
    pub message: String,
    /// The time of its start.
    pub started_at: Option<Time>,
    /// The time of its end.
    pub finished_at: Option<Time>,
    /// The container of this run.
    #[serde(rename = "containerID")]
    pub container_id: String,
}

/// Parses a list of bounded length, or `null`, as Go writes a nil slice.
pub fn few<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(Few(PhantomData))
}

struct Few<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Few<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MOST} items")
    }

    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.len() == MOST {
                return Err(A::Error::custom(format_args!(
                    "a list has more than {MOST} items"
                )));
            }
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_too_long_is_refused() {
        let pod = |count: usize| {
            let containers = vec!["{}"; count].join(",");
            let text = format!(r#"{{"metadata": {{}}, "spec": {{"containers": [{containers}]}}}}"#);
            serde_json::from_str::<Pod>(&text).map(|pod| pod.spec.containers.len())
        };
        assert_eq!(pod(0).expect("it is a pod"), 0);
        assert_eq!(pod(MOST).expect("it is a pod"), MOST);
        let error = pod(MOST + 1).expect_err("it is too long").to_string();
        assert!(error.contains("more than 512 items"), "{error}");
    }

    #[test]
    fn a_sidecar_is_known_by_what_it_runs() {
        for (container, expected) in [
            (
                r#"{"command": ["/bin/copilot", "sidecar", "-o", "x"]}"#,
                true,
            ),
            (
                r#"{"image": "x", "command": ["flyte-copilot", "--config", "y"], "args": ["sidecar"]}"#,
                true,
            ),
            (
                r#"{"image": "reg.io/a/flyte-copilot:v1", "args": ["sidecar"]}"#,
                true,
            ),
            (
                r#"{"image": "reg.io/copilot/train:v1", "args": ["sidecar"]}"#,
                false,
            ),
            (
                r#"{"image": "copilot", "command": ["/bin/train", "sidecar"]}"#,
                false,
            ),
            (
                r#"{"command": ["/bin/copilot", "ready"], "args": null}"#,
                false,
            ),
            (r#"{"name": "sidecar", "image": "flyte-copilot"}"#, false),
        ] {
            let spec: ContainerSpec = serde_json::from_str(container).expect("it is a container");
            assert_eq!(spec.is_sidecar(), expected, "{container}");
        }
    }

    #[test]
    fn the_annotation_of_a_mirror_pod_is_read() {
        let text = r#"{"metadata": {"annotations": {"kubernetes.io/config.hash": "u", "other": "x"}},
            "spec": {"containers": null}}"#;
        let pod: Pod = serde_json::from_str(text).expect("it is a pod");
        let annotations = pod.metadata.annotations.expect("it has some");
        assert_eq!(annotations.mirrored.as_deref(), Some("u"));
    }
}
