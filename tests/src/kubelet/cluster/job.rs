//! A Job whose first pod fails.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Cluster, NAMESPACE, pods};

/// The manifest of a Job that creates this pod, and a second one if the first fails.
#[must_use]
pub fn manifest(name: &str, pod: &Value) -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "backoffLimit": 1,
            "template": {"metadata": {}, "spec": pod["spec"]},
        },
    })
}

impl Cluster {
    /// Creates a Job.
    pub fn create_job(&self, job: &Value) -> Result<()> {
        let path = format!("/apis/batch/v1/namespaces/{NAMESPACE}/jobs");
        self.api.create(&path, job).map(drop)
    }

    /// Deletes a Job and its pods.
    pub fn delete_job(&self, name: &str) -> Result<()> {
        let path = format!("/apis/batch/v1/namespaces/{NAMESPACE}/jobs/{name}");
        self.api.delete(&path)
    }

    /// The uids of the pods that a Job has created so far, in the order of their creation.
    pub fn pods_of(&self, job: &str) -> Result<Vec<String>> {
        let list = self
            .api
            .get(&format!("{}?labelSelector=job-name%3D{job}", pods()))?;
        let mut made = Vec::new();
        for pod in list["items"].as_array().context("a list has items")? {
            let metadata = &pod["metadata"];
            let text = |name: &str| metadata[name].as_str().unwrap_or_default().to_owned();
            made.push((text("creationTimestamp"), text("uid")));
        }
        made.sort();
        Ok(made.into_iter().map(|(_, uid)| uid).collect())
    }
}
