//! Who is asked, and for whom: the API server, our credentials, the namespace and the pod's name.
//!
//! The server and the credentials are those of `--kubeconfig` or `KUBECONFIG`, else of `--server`, else of
//! the service account that kubelet mounts. The namespace and the pod's name are those of flags, else
//! of `POD_NAMESPACE` and `POD_NAME`, else of the same place as the credentials and the host name.

use std::{env, fs, path::Path};

use kube::{
    Client,
    client::ClientBuilder,
    config::{AuthInfo, Config, KubeConfigOptions, Kubeconfig},
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tracing::debug;

use super::{ApiOptions, KubeError};

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
    pub async fn find(options: &ApiOptions) -> Result<Self, KubeError> {
        let (mut config, namespace) = base(options).await?;
        apply(options, &mut config)?;
        // Tried again by us alone, who know what it is for.
        config.default_retry = false;
        let namespace = options
            .namespace
            .clone()
            .or_else(|| variable("POD_NAMESPACE"))
            .or(namespace)
            .ok_or(KubeError::NoNamespace)?;
        let (pod, origin) = pod_name(options).ok_or(KubeError::NoPodName)?;
        let server = config.cluster_url.to_string();
        debug!(server, namespace, pod, origin, "the way to our pod");
        let client = ClientBuilder::try_from(config).map_err(setup)?.build();
        Ok(Self {
            client,
            server,
            namespace,
            pod,
            origin,
        })
    }
}

/// The server and our credentials before flags change them, and the namespace that goes with them.
async fn base(options: &ApiOptions) -> Result<(Config, Option<String>), KubeError> {
    if let Some(file) = kubeconfig(options)? {
        let choice = KubeConfigOptions {
            context: options.context.clone(),
            cluster: options.cluster.clone(),
            user: options.user.clone(),
        };
        let config = Config::from_custom_kubeconfig(file, &choice)
            .await
            .map_err(setup)?;
        let namespace = config.default_namespace.clone();
        return Ok((config, Some(namespace)));
    }
    let choices = [&options.context, &options.cluster, &options.user];
    if choices.iter().any(|choice| choice.is_some()) {
        return Err(KubeError::Setup {
            cause: "--context, --cluster and --user choose within a kubeconfig: name one with \
                    --kubeconfig"
                .to_owned(),
        });
    }
    if let Some(server) = &options.server {
        let config = Config::new(address(server)?);
        return Ok((config, namespace_of_account()));
    }
    let config = Config::incluster().map_err(|error| KubeError::NoAccess {
        cause: error.to_string(),
    })?;
    let token = Path::new(SERVICE_ACCOUNT).join("token");
    if let Err(error) = fs::metadata(&token) {
        return Err(KubeError::NoAccess {
            cause: format!("{}: {error}", token.display()),
        });
    }
    let namespace = config.default_namespace.clone();
    Ok((config, Some(namespace)))
}

fn kubeconfig(options: &ApiOptions) -> Result<Option<Kubeconfig>, KubeError> {
    let Some(path) = &options.kubeconfig else {
        return Kubeconfig::from_env().map_err(setup);
    };
    Kubeconfig::read_from(path).map(Some).map_err(setup)
}

/// What flags say, over what was found.
fn apply(options: &ApiOptions, config: &mut Config) -> Result<(), KubeError> {
    if let Some(server) = &options.server {
        config.cluster_url = address(server)?;
    }
    if let Some(path) = &options.certificate_authority {
        config.root_cert = Some(certificates(path)?);
        config.root_cert_file = Some(path.clone());
    }
    if let Some(skip) = options.insecure_skip_tls_verify {
        config.accept_invalid_certs = skip;
    }
    // Where nobody's certificate is looked at, none need to be found: an image may hold nothing but
    // our binary.
    let looks_at_none =
        config.accept_invalid_certs || config.cluster_url.scheme_str() == Some("http");
    if looks_at_none && config.root_cert.is_none() {
        config.root_cert = Some(Vec::new());
    }
    if let Some(name) = &options.tls_server_name {
        config.tls_server_name = Some(name.clone());
    }
    authenticate(options, &mut config.auth_info);
    Ok(())
}

/// A token and a password each take the place of whatever else would say who we are.
fn authenticate(options: &ApiOptions, auth: &mut AuthInfo) {
    if let Some(token) = &options.token {
        *auth = AuthInfo {
            token: Some(token.0.clone().into()),
            ..AuthInfo::default()
        };
    }
    if let Some(name) = &options.username {
        auth.username = Some(name.clone());
    }
    if let Some(password) = &options.password {
        auth.password = Some(password.0.clone().into());
    }
    let text = |path: &Path| path.to_string_lossy().into_owned();
    if let Some(path) = &options.client_certificate {
        auth.client_certificate = Some(text(path));
        auth.client_certificate_data = None;
    }
    if let Some(path) = &options.client_key {
        auth.client_key = Some(text(path));
        auth.client_key_data = None;
    }
    if let Some(user) = &options.act_as {
        auth.impersonate = Some(user.clone());
    }
    if let Some(uid) = &options.act_as_uid {
        auth.impersonate_uid = Some(uid.clone());
    }
    if !options.act_as_groups.is_empty() {
        auth.impersonate_groups = Some(options.act_as_groups.clone());
    }
}

/// The certificates in a PEM file.
fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, KubeError> {
    let wrong = |cause: String| KubeError::Setup {
        cause: format!("--certificate-authority {}: {cause}", path.display()),
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|error| wrong(error.to_string()))?
        .map(|found| found.map(|certificate| certificate.to_vec()))
        .collect();
    let found = found.map_err(|error| wrong(error.to_string()))?;
    if found.is_empty() {
        return Err(wrong("it holds no certificate in PEM".to_owned()));
    }
    Ok(found)
}

fn address(server: &str) -> Result<http::Uri, KubeError> {
    // As the reference's client has it: without a scheme it is plain HTTP.
    let whole = if server.contains("://") {
        server.to_owned()
    } else {
        format!("http://{server}")
    };
    let parsed = whole.parse::<http::Uri>();
    parsed
        .ok()
        .filter(|uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")))
        .ok_or_else(|| KubeError::Setup {
            cause: format!("--server {server} is no address of an HTTP server"),
        })
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

fn namespace_of_account() -> Option<String> {
    let text = fs::read_to_string(Path::new(SERVICE_ACCOUNT).join("namespace")).ok()?;
    let name = text.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn setup(error: impl std::error::Error) -> KubeError {
    KubeError::Setup {
        cause: super::question::chain(&error),
    }
}
