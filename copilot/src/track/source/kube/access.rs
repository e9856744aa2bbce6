//! Who is asked, and for whom: the API server, our credentials, the namespace and the pod's name.
//!
//! The server and the credentials are those of `--kubeconfig` or `KUBECONFIG`, else of `--server`, else of
//! the service account that kubelet mounts. The namespace and the pod's name are those of flags, else
//! of `POD_NAMESPACE` and `POD_NAME`, else of the same place as the credentials and the host name.

use std::{
    env, fs,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use http::Uri;
use tracing::debug;

use super::{
    ApiOptions, KubeError, SetupError,
    client::Client,
    kubeconfig::Kubeconfig,
    way::{Login, Pem, Way, address},
};

/// Where kubelet mounts the service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The way to our pod.
pub struct Access {
    /// Asks the server.
    pub client: Client,
    /// The server's address.
    pub server: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// Who told the pod's name.
    pub origin: &'static str,
}

impl Access {
    /// Finds the way; asks nobody yet.
    pub fn find(options: &ApiOptions) -> Result<Self, KubeError> {
        let mut way = base(options)?;
        apply(options, &mut way)?;
        let (server, known) = (way.server.to_string(), way.namespace.clone());
        let client = Client::new(way)?;
        let namespace = options
            .namespace
            .clone()
            .or_else(|| variable("POD_NAMESPACE"))
            .or(known)
            .ok_or(KubeError::NoNamespace)?;
        let (pod, origin) = pod_name(options).ok_or(KubeError::NoPodName)?;
        debug!(server, namespace, pod, origin, "the way to our pod");
        Ok(Self {
            client,
            server,
            namespace,
            pod,
            origin,
        })
    }
}

/// The way before flags change it, with the namespace that goes with it.
fn base(options: &ApiOptions) -> Result<Way, KubeError> {
    if let Some(file) = kubeconfig(options)? {
        return Ok(file.way(options)?);
    }
    let choices = [&options.context, &options.cluster, &options.user];
    if choices.iter().any(|choice| choice.is_some()) {
        return Err(SetupError::NothingToChooseFrom.into());
    }
    if let Some(server) = &options.server {
        return Ok(Way {
            namespace: namespace_of_account().ok(),
            ..Way::to(address("--server", server)?)
        });
    }
    in_cluster().map_err(|cause| KubeError::NoAccess { cause })
}

/// The way that kubelet gives to each container of a pod with a service account.
fn in_cluster() -> Result<Way, String> {
    let named = |name: &str| variable(name).ok_or_else(|| format!("{name} is not set"));
    let host = named("KUBERNETES_SERVICE_HOST")?;
    let port = named("KUBERNETES_SERVICE_PORT")?;
    let server = service(&host, &port).ok_or_else(|| {
        format!("KUBERNETES_SERVICE_HOST {host} and the port {port} make no address")
    })?;
    let mounted = |name: &str| {
        let path = Path::new(SERVICE_ACCOUNT).join(name);
        match fs::metadata(&path) {
            Ok(_) => Ok(path),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    };
    Ok(Way {
        namespace: Some(namespace_of_account()?),
        authority: Some(Pem::file("the cluster's authority", &mounted("ca.crt")?)),
        login: Login::TokenFile(mounted("token")?),
        ..Way::to(server)
    })
}

/// The API server's address, as kubelet names its service.
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

/// What flags say, over what was found.
fn apply(options: &ApiOptions, way: &mut Way) -> Result<(), SetupError> {
    if let Some(server) = &options.server {
        way.server = address("--server", server)?;
    }
    if let Some(path) = &options.certificate_authority {
        way.authority = Some(Pem::file("--certificate-authority", path));
    }
    if let Some(skip) = options.insecure_skip_tls_verify {
        way.trusts_anybody = skip;
    }
    if let Some(name) = &options.tls_server_name {
        way.tls_server_name = Some(name.clone());
    }
    authenticate(options, way)
}

/// A token and a password each take the place of whatever else would say who we are.
fn authenticate(options: &ApiOptions, way: &mut Way) -> Result<(), SetupError> {
    if let Some(token) = &options.token {
        way.login = Login::Token(token.clone());
        way.certificate = None;
        way.key = None;
    }
    if let (Some(name), Some(password)) = (&options.username, &options.password) {
        way.login = Login::Basic {
            name: name.clone(),
            password: password.clone(),
        };
    }
    if let Some(path) = &options.client_certificate {
        way.certificate = Some(Pem::file("--client-certificate", path));
    }
    if let Some(path) = &options.client_key {
        way.key = Some(Pem::file("--client-key", path));
    }
    if let Some(user) = &options.act_as {
        way.act_as("impersonate-user", user)?;
    }
    if let Some(uid) = &options.act_as_uid {
        way.act_as("impersonate-uid", uid)?;
    }
    for group in &options.act_as_groups {
        way.act_as("impersonate-group", group)?;
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
    // `setHostnameAsFQDN` puts the cluster's domain behind the pod's name.
    let name = host.nodename().to_str().ok()?.split('.').next()?;
    (!name.is_empty()).then(|| (name.to_owned(), "the host name"))
}

fn namespace_of_account() -> Result<String, String> {
    let path = Path::new(SERVICE_ACCOUNT).join("namespace");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let name = text.trim();
    if name.is_empty() {
        return Err(format!("{} is empty", path.display()));
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
    fn the_service_is_an_address() {
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
