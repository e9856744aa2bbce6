//! The flags of Kubernetes' client (spec §1.2) as options of the watcher `kube-api`. Each flag has its
//! effect, or is refused by name.

use std::path::PathBuf;
use std::time::Duration;

use super::error::FlagError;
use super::flags::KubernetesFlags;
use super::value;
use crate::track::source::kube::{ApiOptions, Secret};

/// How to reach the API.
pub(super) fn options(
    flags: &KubernetesFlags,
    pod_name: Option<&str>,
) -> Result<ApiOptions, FlagError> {
    if let Some((name, advice)) = flags.refused() {
        return Err(FlagError::NotSupported { name, advice });
    }
    let text = |name: &str| flags.text(name);
    let path = |name: &str| text(name).map(PathBuf::from);
    let secret = |name: &str| text(name).map(Secret::from);
    let options = ApiOptions {
        namespace: text("namespace"),
        pod_name: pod_name.map(str::to_owned).filter(|name| !name.is_empty()),
        kubeconfig: path("kubeconfig"),
        context: text("context"),
        cluster: text("cluster"),
        user: text("user"),
        server: text("server"),
        token: secret("token"),
        username: text("username"),
        password: secret("password"),
        client_certificate: path("client-certificate"),
        client_key: path("client-key"),
        certificate_authority: path("certificate-authority"),
        insecure_skip_tls_verify: text("insecure-skip-tls-verify").map(|value| value == "true"),
        tls_server_name: text("tls-server-name"),
        act_as: text("as"),
        act_as_uid: text("as-uid"),
        act_as_groups: flags.values("as-group").to_vec(),
        request_timeout: text("request-timeout").map(request_timeout).transpose()?,
    };
    check(&options, |name| text(name).is_some())?;
    Ok(options)
}

/// Checks flags that depend on each other.
fn check(options: &ApiOptions, is_given: impl Fn(&str) -> bool) -> Result<(), FlagError> {
    for (one, other) in [
        ("client-certificate", "client-key"),
        ("client-key", "client-certificate"),
        ("username", "password"),
        ("password", "username"),
    ] {
        if is_given(one) && !is_given(other) {
            return Err(FlagError::HalfOfPair { one, other });
        }
    }
    if options.insecure_skip_tls_verify == Some(true) && options.certificate_authority.is_some() {
        return Err(FlagError::AuthorityWithoutVerification);
    }
    Ok(())
}

/// A Go duration, or a number of seconds, as the reference's client reads it; zero means no limit.
fn request_timeout(text: String) -> Result<Duration, FlagError> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    value::wait(&text).map_err(|error| FlagError::RequestTimeout { text, error })
}
