//! The status of pods, from kubelet's read-only port or from the API. The sidecar's results are compared with it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The status of all pods.
#[derive(Clone, Debug)]
pub struct Status(Value);

impl Status {
    /// Reads it from the kubelet at this port of loopback.
    pub fn ask(port: u16) -> Result<Self> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        connection.set_read_timeout(Some(Duration::from_mins(1)))?;
        // In HTTP/1.0 the answer ends with the connection.
        connection.write_all(b"GET /pods HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .context("kubelet says nothing")?;
        ensure!(head.contains(" 200 "), "kubelet says {head}");
        Ok(Self(serde_json::from_str(body)?))
    }

    /// Reads it from a list of pods, as the API returns it.
    #[must_use]
    pub fn from_pods(pods: Value) -> Self {
        Self(pods)
    }

    /// The pod with this uid.
    #[must_use]
    pub fn pod(&self, uid: &str) -> Option<Pod> {
        let pods = self.0["items"].as_array()?;
        let found = pods.iter().find(|pod| pod["metadata"]["uid"] == uid)?;
        Some(Pod(found.clone()))
    }
}

/// The status of one pod.
#[derive(Clone, Debug, Default)]
pub struct Pod(pub Value);

impl Pod {
    /// Whether the pod has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed")
    }

    /// Its phase.
    #[must_use]
    pub fn phase(&self) -> &str {
        self.0["status"]["phase"].as_str().unwrap_or_default()
    }

    /// One of its containers, also an init container.
    #[must_use]
    pub fn container(&self, name: &str) -> Option<Container<'_>> {
        let status = &self.0["status"];
        ["initContainerStatuses", "containerStatuses"]
            .iter()
            .filter_map(|kind| status[kind].as_array())
            .flatten()
            .find(|container| container["name"] == name)
            .map(Container)
    }
}

/// The status of one container.
#[derive(Clone, Copy, Debug)]
pub struct Container<'a>(&'a Value);

impl Container<'_> {
    /// Its id without the runtime's name; empty before it is created.
    #[must_use]
    pub fn id(self) -> String {
        let id = self.0["containerID"].as_str().unwrap_or_default();
        id.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// Whether its program runs.
    #[must_use]
    pub fn runs(self) -> bool {
        self.0["state"]["running"].is_object()
    }

    /// Whether its startup probe has succeeded.
    #[must_use]
    pub fn has_started(self) -> bool {
        self.0["started"] == true
    }

    /// How often it was restarted.
    #[must_use]
    pub fn restarts(self) -> u64 {
        self.0["restartCount"].as_u64().unwrap_or(0)
    }

    /// How it ended: its exit code and kubelet's reason.
    #[must_use]
    pub fn end(self) -> Option<(i64, String)> {
        let ended = &self.0["state"]["terminated"];
        let reason = ended["reason"].as_str().unwrap_or_default();
        Some((ended["exitCode"].as_i64()?, reason.to_owned()))
    }

    /// The complete status, for a report.
    #[must_use]
    pub fn text(self) -> String {
        self.0["state"].to_string()
    }
}
