//! Finds the API server, our credentials, the namespace and the pod's name.
//!
//! The server and the credentials come from `--kubeconfig` or `KUBECONFIG`, otherwise from `--server`,
//! otherwise from the service account that kubelet mounts. The namespace and the pod's name come from
//! flags, otherwise from `POD_NAMESPACE` and `POD_NAME`, otherwise from where the credentials come from
//! and from the host name.

use std::{
    env, fs,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use http::Uri;
use tracing::debug;

use super::{
    ApiOptions, InClusterError, KubeError, SetupError,
    api_config::{ApiConfig, Login, Pem, address},
    client::ApiClient,
    kubeconfig::Kubeconfig,
};

/// Where kubelet mounts the service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Our pod's name, and the client to ask for it.
pub struct PodAccess {
    /// The client of the API server.
    pub client: ApiClient,
    /// The server's address.
    pub server: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// Where the pod's name comes from.
    pub origin: &'static str,
}

impl PodAccess {
    /// Finds everything, and sends nothing yet.
    pub fn find(options: &ApiOptions) -> Result<Self, KubeError> {
        let mut config = base(options)?;
        apply(options, &mut config)?;
        let (server, known) = (config.server.to_string(), config.namespace.clone());
        let client = ApiClient::new(config)?;
        let namespace = options
            .namespace
            .clone()
            .or_else(|| variable("POD_NAMESPACE"))
            .or(known)
            .ok_or(KubeError::NoNamespace)?;
        let (pod, origin) = pod_name(options).ok_or(KubeError::NoPodName)?;
        debug!(server, namespace, pod, origin, "our pod in the API");
        Ok(Self {
            client,
            server,
            namespace,
            pod,
            origin,
        })
    }
}

/// The configuration before flags change it, with the namespace that comes with it.
fn base(options: &ApiOptions) -> Result<ApiConfig, KubeError> {
    if let Some(file) = kubeconfig(options)? {
        return Ok(file.api_config(options)?);
    }
    let choices = [&options.context, &options.cluster, &options.user];
    if choices.iter().any(|choice| choice.is_some()) {
        return Err(SetupError::NothingToChooseFrom.into());
    }
    if let Some(server) = &options.server {
        return Ok(ApiConfig {
            namespace: namespace_of_account().ok(),
            ..ApiConfig::new(address("--server", server)?)
        });
    }
    Ok(in_cluster()?)
}

/// The configuration that kubelet mounts into each container of a pod with a service account.
fn in_cluster() -> Result<ApiConfig, InClusterError> {
    let required = |name: &'static str| variable(name).ok_or(InClusterError::NotSet(name));
    let host = required("KUBERNETES_SERVICE_HOST")?;
    let port = required("KUBERNETES_SERVICE_PORT")?;
    let server = service(&host, &port).ok_or(InClusterError::Address { host, port })?;
    let mounted = |name: &str| {
        let path = Path::new(SERVICE_ACCOUNT).join(name);
        match fs::metadata(&path) {
            Ok(_) => Ok(path),
            Err(source) => Err(InClusterError::File { path, source }),
        }
    };
    Ok(ApiConfig {
        namespace: Some(namespace_of_account()?),
        authority: Some(Pem::file("the cluster's authority", &mounted("ca.crt")?)),
        login: Login::TokenFile(mounted("token")?),
        ..ApiConfig::new(server)
    })
}

/// The API server's address, from the variables that kubelet sets for its service.
fn service(host: &str, port: &str) -> Option<Uri> {
    let port = port.parse().ok()?;
    let authority = match host.parse::<IpAddr>() {
        Ok(host) => SocketAddr::new(host, port).to_string(),
        Err(_) => format!("{host}:{port}"),
    };
    format!("https://{authority}").parse().ok()
}

fn kubeconfig(options: &ApiOptions) -> Result<Option<Kubeconfig>, SetupError> {
    if let Some(path) = &options.kubeconfig {
        return Ok(Some(Kubeconfig::read([path])?));
    }
    let Some(paths) = env::var_os("KUBECONFIG") else {
        return Ok(None);
    };
    let paths: Vec<_> = env::split_paths(&paths)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if paths.is_empty() {
        return Ok(None);
    }
    Ok(Some(Kubeconfig::read(&paths)?))
}

/// Applies the flags, which win over everything else.
fn apply(options: &ApiOptions, config: &mut ApiConfig) -> Result<(), SetupError> {
    if let Some(server) = &options.server {
        config.server = address("--server", server)?;
    }
    if let Some(path) = &options.certificate_authority {
        config.authority = Some(Pem::file("--certificate-authority", path));
    }
    if let Some(skip) = options.insecure_skip_tls_verify {
        config.skip_tls_verify = skip;
    }
    if let Some(name) = &options.tls_server_name {
        config.tls_server_name = Some(name.clone());
    }
    authenticate(options, config)
}

/// Applies the flags with credentials. A token and a password each replace the credentials so far.
fn authenticate(options: &ApiOptions, config: &mut ApiConfig) -> Result<(), SetupError> {
    if let Some(token) = &options.token {
        config.login = Login::Token(token.clone());
        config.certificate = None;
        config.key = None;
    }
    if let (Some(name), Some(password)) = (&options.username, &options.password) {
        config.login = Login::Basic {
            name: name.clone(),
            password: password.clone(),
        };
    }
    if let Some(path) = &options.client_certificate {
        config.certificate = Some(Pem::file("--client-certificate", path));
    }
    if let Some(path) = &options.client_key {
        config.key = Some(Pem::file("--client-key", path));
    }
    if let Some(user) = &options.act_as {
        config.act_as("impersonate-user", user)?;
    }
    if let Some(uid) = &options.act_as_uid {
        config.act_as("impersonate-uid", uid)?;
    }
    for group in &options.act_as_groups {
        config.act_as("impersonate-group", group)?;
    }
    Ok(())
}

fn pod_name(options: &ApiOptions) -> Option<(String, &'static str)> {
    if let Some(name) = &options.pod_name {
        return Some((name.clone(), "--pod-name"));
    }
    if let Some(name) = variable("POD_NAME") {
        return Some((name, "POD_NAME"));
    }
    let host = rustix::system::uname();
    // `setHostnameAsFQDN` appends the cluster's domain to the pod's name.
    let name = host.nodename().to_str().ok()?.split('.').next()?;
    (!name.is_empty()).then(|| (name.to_owned(), "the host name"))
}

fn namespace_of_account() -> Result<String, InClusterError> {
    let path = Path::new(SERVICE_ACCOUNT).join("namespace");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(InClusterError::File { path, source }),
    };
    let name = text.trim();
    if name.is_empty() {
        return Err(InClusterError::NoNamespace { path });
    }
    Ok(name.to_owned())
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_becomes_an_address() {
        for (host, port, expected) in [
            ("10.0.0.1", "443", Some("https://10.0.0.1:443/")),
            ("fd00::1", "6443", Some("https://[fd00::1]:6443/")),
            ("api.example", "6443", Some("https://api.example:6443/")),
            ("10.0.0.1", "https", None),
            ("two words", "443", None),
        ] {
            let found = service(host, port).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{host} {port}");
        }
    }
}
