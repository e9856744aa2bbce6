//! The flags of Kubernetes' client (spec §1.2), which the watcher `kube-api` goes by. Each has its
//! effect or is refused by name.

use std::path::PathBuf;
use std::time::Duration;

use super::flags::InertFlags;
use super::value;
use crate::track::source::kube::{ApiOptions, Secret};

/// Those that have their effect.
const EFFECTIVE: &[&str] = &[
    "as",
    "as-group",
    "as-uid",
    "certificate-authority",
    "client-certificate",
    "client-key",
    "cluster",
    "context",
    // Ours never asks for compression.
    "disable-compression",
    "insecure-skip-tls-verify",
    "kubeconfig",
    "namespace",
    "password",
    "request-timeout",
    "server",
    "tls-server-name",
    "token",
    "user",
    "username",
];

/// Those that have none, with the way out.
const REFUSED: &[(&str, &str)] = &[(
    "proxy-url",
    "the API must be reachable without a proxy, or use another watcher",
)];

/// Whether the flag of this name belongs to Kubernetes' client.
pub(super) fn is_of_client(name: &str) -> bool {
    EFFECTIVE.contains(&name) || REFUSED.iter().any(|(refused, _)| *refused == name)
}

/// What the flags say of the way to the API. An empty text counts as not given, as in the reference.
pub(super) fn options(flags: &InertFlags, pod_name: Option<&str>) -> Result<ApiOptions, String> {
    let values = |name: &str| flags.values.get(name).map_or(&[][..], Vec::as_slice);
    let text = |name: &str| {
        let last = values(name).last().cloned();
        last.filter(|text| !text.is_empty())
    };
    for (name, advice) in REFUSED {
        if text(name).is_some() {
            return Err(format!(
                "--{name} is not supported by the watcher kube-api: {advice}"
            ));
        }
    }
    let path = |name: &str| text(name).map(PathBuf::from);
    let secret = |name: &str| text(name).map(Secret);
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
        act_as_groups: values("as-group").to_vec(),
        request_timeout: text("request-timeout")
            .map(|text| request_timeout(&text))
            .transpose()?,
    };
    check(&options, |name| text(name).is_some())?;
    Ok(options)
}

/// What only makes sense together.
fn check(options: &ApiOptions, is_given: impl Fn(&str) -> bool) -> Result<(), String> {
    for (one, other) in [
        ("client-certificate", "client-key"),
        ("client-key", "client-certificate"),
        ("username", "password"),
        ("password", "username"),
    ] {
        if is_given(one) && !is_given(other) {
            return Err(format!("--{one} is given without --{other}"));
        }
    }
    if options.insecure_skip_tls_verify == Some(true) && options.certificate_authority.is_some() {
        return Err(
            "--insecure-skip-tls-verify trusts anybody, so --certificate-authority would have no \
             effect: give one of them"
                .to_owned(),
        );
    }
    Ok(())
}

/// A Go duration, or a number of seconds, as the reference's client reads it; zero for any time.
fn request_timeout(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    value::wait(text).map_err(|error| format!("--request-timeout {text}: {error}"))
}
