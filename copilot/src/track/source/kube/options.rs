//! How the API is to be reached: what flags say, as the reference's Kubernetes client reads them.

use std::{fmt, path::PathBuf, time::Duration};

/// How long one answer may take where no flag says otherwise. Short enough for a second try within
/// the time that main's end is waited for after a SIGTERM.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// A text that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// What flags say of the API; what they do not say is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiOptions {
    /// `--namespace`: the pod's.
    pub namespace: Option<String>,
    /// `--pod-name`.
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
    /// `--username`, for basic authentication.
    pub username: Option<String>,
    /// `--password`, likewise.
    pub password: Option<Secret>,
    /// `--client-certificate`: a PEM file.
    pub client_certificate: Option<PathBuf>,
    /// `--client-key`: a PEM file.
    pub client_key: Option<PathBuf>,
    /// `--certificate-authority`: a PEM file of whom to trust.
    pub certificate_authority: Option<PathBuf>,
    /// `--insecure-skip-tls-verify`: trust anybody.
    pub insecure_skip_tls_verify: Option<bool>,
    /// `--tls-server-name`: the name that the server's certificate must bear.
    pub tls_server_name: Option<String>,
    /// `--as`: the user to act as.
    pub act_as: Option<String>,
    /// `--as-uid`: that user's uid.
    pub act_as_uid: Option<String>,
    /// `--as-group`: that user's groups.
    pub act_as_groups: Vec<String>,
    /// `--request-timeout`: how long one answer may take; zero for any time.
    pub request_timeout: Option<Duration>,
}

impl ApiOptions {
    /// How long one answer may take; nothing for any time. A watch, which is one long answer, is
    /// bound only until it begins.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        let limit = self.request_timeout.unwrap_or(REQUEST_TIMEOUT);
        (!limit.is_zero()).then_some(limit)
    }
}
