//! A pod as the API shows it: a test changes the state of its containers in place of kubelet.

use copilot::idl::Timestamp;
use copilot::literal::datetime;
use serde_json::{Value, json};

/// A pod.
#[derive(Clone, Debug)]
pub struct Manifest(Value);

impl Manifest {
    /// A pod without containers.
    #[must_use]
    pub fn new(name: &str, uid: &str) -> Self {
        Self(json!({
            "kind": "Pod", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": super::NAMESPACE, "uid": uid},
            "spec": {"initContainers": [], "containers": []},
            "status": {"phase": "Pending", "initContainerStatuses": [], "containerStatuses": []},
        }))
    }

    /// Adds a container, which waits. `init`: it is an init container or a native sidecar.
    ///
    /// # Panics
    /// It does not: the lists exist.
    #[must_use]
    pub fn container(mut self, name: &str, init: bool, mounts: &[(&str, &str)]) -> Self {
        let lists = if init {
            ["initContainers", "initContainerStatuses"]
        } else {
            ["containers", "containerStatuses"]
        };
        let mounts: Vec<Value> = mounts
            .iter()
            .map(|(volume, path)| json!({"name": volume, "mountPath": path}))
            .collect();
        let waiting = json!({"waiting": {"reason": "PodInitializing"}});
        let spec = json!({"name": name, "image": "image", "volumeMounts": mounts});
        let status = json!({"name": name, "state": waiting, "lastState": {}, "ready": false,
            "restartCount": 0, "image": "image", "imageID": ""});
        for (part, list, item) in [("spec", lists[0], spec), ("status", lists[1], status)] {
            let list = self.0[part][list].as_array_mut();
            list.expect("it is a list").push(item);
        }
        self
    }

    /// The container waits for this reason.
    pub fn waits(&mut self, name: &str, reason: &str) {
        let status = self.status(name);
        status["state"] = json!({"waiting": {"reason": reason, "message": "so it is"}});
    }

    /// The container runs, under this id.
    pub fn runs(&mut self, name: &str, id: &str) {
        let status = self.status(name);
        status["containerID"] = json!(format!("containerd://{id}"));
        status["state"] = json!({"running": {"startedAt": now()}});
    }

    /// The container has ended.
    pub fn ends(&mut self, name: &str, id: &str, exit_code: i32, reason: &str) {
        let address = format!("containerd://{id}");
        let status = self.status(name);
        status["containerID"] = json!(address);
        status["state"] = json!({"terminated": {"exitCode": exit_code, "reason": reason,
            "startedAt": now(), "finishedAt": now(), "containerID": address}});
    }

    /// The pod is being deleted: it vanishes once all its containers have ended.
    pub fn is_being_deleted(&mut self) {
        self.0["metadata"]["deletionTimestamp"] = json!(now());
        self.0["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    }

    /// The pod as JSON.
    #[must_use]
    pub fn text(&self) -> Value {
        self.0.clone()
    }

    fn status(&mut self, name: &str) -> &mut Value {
        let lists = ["initContainerStatuses", "containerStatuses"];
        let (list, index) = lists
            .into_iter()
            .find_map(|list| {
                let statuses = self.0["status"][list].as_array()?;
                let index = statuses.iter().position(|each| each["name"] == name)?;
                Some((list, index))
            })
            .unwrap_or_else(|| panic!("no container is called {name}"));
        &mut self.0["status"][list][index]
    }
}

/// The current time, in the format of the API.
fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = since.expect("it is later than 1970").as_secs();
    let seconds = i64::try_from(seconds).expect("it is not that late");
    datetime::format(&Timestamp { seconds, nanos: 0 })
}
