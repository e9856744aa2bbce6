//! The flags of the Kubernetes API, as the reference's Kubernetes client reads them.

use std::{path::PathBuf, time::Duration};

pub use crate::config::Secret;

/// How long one answer may take by default: short enough for a second try within the time for which we
/// wait for main's end after SIGTERM.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The flags of the Kubernetes API. Values that are missing here come from the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiOptions {
    /// `--namespace`: the pod's namespace.
    pub namespace: Option<String>,
    /// `--pod-name`: the pod's name.
    pub pod_name: Option<String>,
    /// `--kubeconfig`: a file that describes clusters and users.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`: which of that file's contexts.
    pub context: Option<String>,
    /// `--cluster`: which of its clusters.
    pub cluster: Option<String>,
    /// `--user`: which of its users.
    pub user: Option<String>,
    /// `--server`: the API server's address.
    pub server: Option<String>,
    /// `--token`: a bearer token.
    pub token: Option<Secret>,
    /// `--username`: the user's name, for basic authentication.
    pub username: Option<String>,
    /// `--password`: the user's password, for basic authentication.
    pub password: Option<Secret>,
    /// `--client-certificate`: a PEM file.
    pub client_certificate: Option<PathBuf>,
    /// `--client-key`: a PEM file.
    pub client_key: Option<PathBuf>,
    /// `--certificate-authority`: a PEM file of the authorities to trust.
    pub certificate_authority: Option<PathBuf>,
    /// `--insecure-skip-tls-verify`: accept any certificate.
    pub insecure_skip_tls_verify: Option<bool>,
    /// `--tls-server-name`: the name that the server's certificate must have.
    pub tls_server_name: Option<String>,
    /// `--as`: the user to impersonate.
    pub act_as: Option<String>,
    /// `--as-uid`: that user's uid.
    pub act_as_uid: Option<String>,
    /// `--as-group`: that user's groups.
    pub act_as_groups: Vec<String>,
    /// `--request-timeout`: how long one answer may take; zero allows any time.
    pub request_timeout: Option<Duration>,
}

impl ApiOptions {
    /// How long one answer may take; `None` allows any time. A watch is one long answer, for which the
    /// limit covers only the beginning.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        let limit = self.request_timeout.unwrap_or(REQUEST_TIMEOUT);
        (!limit.is_zero()).then_some(limit)
    }
}
