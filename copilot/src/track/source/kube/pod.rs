//! The part of a pod that we read. Everything else is skipped while it is parsed, and whatever the
//! API may leave out may be missing. Lists have a bound: an item that is two brackets as text takes
//! hundreds of bytes here.

use std::{fmt, marker::PhantomData};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

/// How long a list may be: more containers, or volumes in one of them, than a node can run.
const MOST: usize = 512;

/// A pod.
#[derive(Clone, Debug, Deserialize)]
pub struct Pod {
    /// Whose it is.
    pub metadata: Metadata,
    /// What was asked for.
    pub spec: Spec,
    /// What kubelet says of it; nothing before kubelet knows it.
    #[serde(default)]
    pub status: Option<Status>,
}

/// Whose a pod is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// Its name.
    pub name: Option<String>,
    /// Its uid.
    pub uid: Option<String>,
    /// Which of its versions this is.
    pub resource_version: Option<String>,
    /// When it must be gone, if somebody has deleted it.
    pub deletion_timestamp: Option<Time>,
    /// Notes of others.
    pub annotations: Option<Annotations>,
}

/// The notes that we read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Annotations {
    /// The uid of the static pod that a pod of the API mirrors.
    #[serde(rename = "kubernetes.io/config.hash")]
    pub mirrored: Option<String>,
}

/// What was asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Init containers, native sidecars among them.
    #[serde(deserialize_with = "few")]
    pub init_containers: Vec<ContainerSpec>,
    /// The other containers.
    #[serde(deserialize_with = "few")]
    pub containers: Vec<ContainerSpec>,
}

/// One container that was asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerSpec {
    /// Its name.
    pub name: String,
    /// Where it sees which volume.
    #[serde(deserialize_with = "few")]
    pub volume_mounts: Vec<VolumeMount>,
}

/// A volume, as one container mounts it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeMount {
    /// The volume.
    pub name: String,
    /// Where the container sees it.
    pub mount_path: String,
    /// The part of it that is mounted; empty for all.
    pub sub_path: String,
    /// The same, with variables that only kubelet knows.
    pub sub_path_expr: String,
}

/// What kubelet says of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Of init containers.
    #[serde(deserialize_with = "few")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// Of the other containers.
    #[serde(deserialize_with = "few")]
    pub container_statuses: Vec<ContainerStatus>,
}

/// What kubelet says of one container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// Its name.
    pub name: String,
    /// `runtime://id`; empty before it was made.
    #[serde(rename = "containerID")]
    pub container_id: String,
    /// How it is.
    pub state: State,
    /// How its last run ended, if it was started again.
    pub last_state: State,
}

/// One of three; nothing where kubelet has not said yet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// It does not run yet.
    pub waiting: Option<Waiting>,
    /// It runs.
    pub running: Option<Running>,
    /// It has ended.
    pub terminated: Option<Terminated>,
}

/// Why it does not run yet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Waiting {
    /// A word: `PodInitializing`, `ImagePullBackOff`.
    pub reason: String,
    /// More of it.
    pub message: String,
}

/// A run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Running {
    /// When it began.
    pub started_at: Option<Time>,
}

/// A run that is over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terminated {
    /// As the runtime tells it: 128 + n for a signal.
    pub exit_code: i32,
    /// The signal itself, from the few runtimes that tell it.
    pub signal: i32,
    /// A word: `Completed`, `Error`, `OOMKilled`, `StartError`.
    pub reason: String,
    /// More of it.
    pub message: String,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// Which container it was.
    #[serde(rename = "containerID")]
    pub container_id: String,
}

/// A list of bounded length, which may be `null`, as Go writes one that was never made.
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
    fn a_list_without_end_is_refused() {
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
    fn the_notes_of_a_mirror_are_read() {
        let text = r#"{"metadata": {"annotations": {"kubernetes.io/config.hash": "u", "other": "x"}},
            "spec": {"containers": null}}"#;
        let pod: Pod = serde_json::from_str(text).expect("it is a pod");
        let notes = pod.metadata.annotations.expect("it has some");
        assert_eq!(notes.mirrored.as_deref(), Some("u"));
    }
}
