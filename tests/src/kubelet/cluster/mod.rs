//! A real control plane on loopback, for the watcher `kube-api`: etcd, API server, controllers, scheduler.
//!
//! [`keys`] creates its certificates and tokens, [`control`] starts its programs in a node's process, [`api`]
//! sends requests to the API server, [`front`] is a proxy that makes watches short, [`job`] creates Jobs. A
//! pod's service account has exactly the rights of `deploy/kube-api.yaml`; another account has none. This
//! module does not know the expected results. Called by [`super::node`].

pub mod api;
pub mod control;
pub mod front;
pub mod job;
pub mod keys;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use self::api::Api;
use super::status::Status;
use crate::background::Background;

/// The service account of pods, and the name of its role.
pub const ACCOUNT: &str = "copilot-task";

/// The service account without rights.
pub const POOR_ACCOUNT: &str = "copilot-nobody";

/// The namespace of pods.
pub const NAMESPACE: &str = "default";

/// How long the control plane may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// The manifest with the rights that our documentation tells users to grant.
const RIGHTS: &str = include_str!("../../../../deploy/kube-api.yaml");

/// Writes the files that a node needs to start a control plane. With a `cache` the API server caches changes
/// of pods, as it does by default.
pub fn prepare(
    folder: &Path,
    programs: &Path,
    node: &str,
    cache: bool,
    ports: [u16; 3],
) -> Result<Value> {
    let [api, etcd, peer] = ports;
    keys::make(folder, node, api)?;
    Ok(json!({
        "programs": programs,
        "api": api,
        "etcd": etcd,
        "peer": peer,
        "cache": cache,
    }))
}

/// A control plane that answers, and whose node is ready for pods.
#[derive(Debug)]
pub struct Cluster {
    /// A client of its API.
    pub api: Api,
    /// The port of the proxy that makes watches short.
    front: Background,
    /// The folder of its files.
    pub folder: PathBuf,
}

impl Cluster {
    /// Waits for the node, and creates the rights of the pods' service account.
    pub fn join(folder: &Path, port: u16, node: &str) -> Result<Self> {
        let authority = fs::read_to_string(folder.join("ca.crt"))?;
        let api = Api::new(port, &authority, keys::ADMIN)?;
        let cluster = Self {
            front: front::start(folder, port, api.client())?,
            api,
            folder: folder.to_owned(),
        };
        cluster.until("the node is ready", |api| {
            let node = api.get(&format!("/api/v1/nodes/{node}"))?;
            let conditions = node["status"]["conditions"].as_array().cloned();
            let ready = |one: &Value| one["type"] == "Ready" && one["status"] == "True";
            let tainted = node["spec"]["taints"]
                .as_array()
                .is_some_and(|taints| !taints.is_empty());
            Ok(!tainted && conditions.unwrap_or_default().iter().any(ready))
        })?;
        let accounts = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts");
        cluster.until("the namespace has its account", |api| {
            Ok(api.get(&format!("{accounts}/default")).is_ok())
        })?;
        for name in [ACCOUNT, POOR_ACCOUNT] {
            let account = json!({"metadata": {"name": name}});
            cluster.api.create(&accounts, &account)?;
        }
        cluster.give_rights()?;
        Ok(cluster)
    }

    /// Creates the role and its binding from the manifest for users.
    fn give_rights(&self) -> Result<()> {
        let text = RIGHTS
            .replace("SERVICE-ACCOUNT", ACCOUNT)
            .replace("NAMESPACE", NAMESPACE);
        let documents: Vec<&str> = text.split("\n---\n").collect();
        for (document, kind) in documents.iter().zip(["roles", "rolebindings"]) {
            let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/{kind}");
            self.api.create_yaml(&path, document)?;
        }
        Ok(())
    }

    /// The status of all pods, as kubelet has reported it to the API.
    pub fn status(&self) -> Result<Status> {
        Ok(Status::from_pods(self.api.get(&pods())?))
    }

    /// Creates a pod, and returns its uid.
    pub fn create_pod(&self, pod: &Value) -> Result<String> {
        let made = self.api.create(&pods(), pod)?;
        let uid = made["metadata"]["uid"].as_str();
        Ok(uid.context("a pod has a uid")?.to_owned())
    }

    /// Deletes a pod, as a user does.
    pub fn delete_pod(&self, name: &str) -> Result<()> {
        self.api.delete(&format!("{}/{name}", pods()))
    }

    /// Evicts a pod, as draining a node does.
    pub fn evict_pod(&self, name: &str) -> Result<()> {
        let eviction = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": NAMESPACE},
        });
        let path = format!("{}/{name}/eviction", pods());
        self.api.create(&path, &eviction).map(drop)
    }

    /// The port of the proxy that makes watches short.
    #[must_use]
    pub fn short_port(&self) -> u16 {
        self.front.address().port()
    }

    /// Kills the API server, which is then started again.
    pub fn kill_api(&self) -> Result<()> {
        control::kill_api(&self.folder)
    }

    /// Waits until the API server answers again after it was killed.
    pub fn await_api(&self) -> Result<()> {
        thread::sleep(Duration::from_millis(300));
        self.until("the API server is back", |api| {
            Ok(api.get("/readyz").is_ok())
        })
    }

    fn until(&self, what: &str, is_so: impl Fn(&Api) -> Result<bool>) -> Result<()> {
        let began = Instant::now();
        // Errors are normal until it has started.
        while !is_so(&self.api).unwrap_or(false) {
            ensure!(began.elapsed() < PATIENCE, "never: {what}");
            thread::sleep(Duration::from_millis(250));
        }
        Ok(())
    }
}

fn pods() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/pods")
}
