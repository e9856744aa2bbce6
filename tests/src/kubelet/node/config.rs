//! The files that containerd and kubelet are started with.

use serde_json::{Value, json};

use super::SOCKET;
use crate::kubelet::image::PAUSE;

/// The configuration of containerd 1.
#[must_use]
pub fn containerd(directory: &str) -> String {
    format!(
        r#"version = 2
root = "{directory}/containerd"
state = "/run/containerd"
[grpc]
  address = "{SOCKET}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{directory}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  # A machine without CAP_SYS_RESOURCE may not lower it.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{directory}/cni/bin"
    conf_dir = "{directory}/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "{directory}/bin/runc"
"#
    )
}

/// The same for containerd 2, whose plugins have other names.
#[must_use]
pub fn containerd_2(directory: &str) -> String {
    format!(
        r#"version = 3
root = "{directory}/containerd"
state = "/run/containerd"
[grpc]
  address = "{SOCKET}"
[plugins.'io.containerd.internal.v1.opt']
  path = "{directory}/opt"
[plugins.'io.containerd.nri.v1.nri']
  disable = true
[plugins.'io.containerd.grpc.v1.cri']
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "{PAUSE}"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["{directory}/cni/bin"]
    conf_dir = "{directory}/cni/net.d"
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      BinaryName = "{directory}/bin/runc"
"#
    )
}

/// The configuration of a network that our pods do not use: without one the API server marks the node
/// as not ready.
#[must_use]
pub fn network() -> Value {
    json!({"cniVersion": "0.4.0", "name": "none", "plugins": [{"type": "loopback"}]})
}

/// The configuration of a kubelet without an API server, with pods from files.
#[must_use]
pub fn kubelet(directory: &str, settings: &Value) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "127.0.0.1",
        "port": settings["port"],
        "readOnlyPort": settings["read_only_port"],
        "healthzPort": 0,
        "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": format!("unix://{SOCKET}"),
        "cgroupDriver": "cgroupfs",
        "failSwapOn": false,
        "staticPodPath": format!("{directory}/manifests"),
        "podLogsDir": format!("{directory}/pod-logs"),
        "volumePluginDir": format!("{directory}/volume-plugins"),
        "fileCheckFrequency": "1s",
        "makeIPTablesUtilChains": false,
        "localStorageCapacityIsolation": false,
        "evictionHard": {"memory.available": "1Mi"},
        "imageGCHighThresholdPercent": 100,
        "imageMaximumGCAge": "0s",
        "registerNode": settings["cluster"].is_object(),
        "oomScoreAdj": 0,
        "maxOpenFiles": 20000,
        "maxPods": 250,
    })
}
