//! The part of a pod that we read. Everything else is skipped while it is parsed, and whatever the
//! API may leave out may be missing.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::Object;
use serde::Deserialize;

/// A pod.
pub type Pod = Object<Spec, Status>;

/// What was asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Init containers, native sidecars among them.
    pub init_containers: Vec<ContainerSpec>,
    /// The other containers.
    pub containers: Vec<ContainerSpec>,
}

/// One container that was asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerSpec {
    /// Its name.
    pub name: String,
    /// Where it sees which volume.
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
    pub init_container_statuses: Vec<ContainerStatus>,
    /// Of the other containers.
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
