//! Why the `kube-api` source does not work here. It refuses to start with one of these errors.

use std::{io, path::PathBuf, time::Duration};

use http::header::InvalidHeaderValue;
use rustls::pki_types::{InvalidDnsNameError, pem};
use thiserror::Error;

use super::{KubeconfigError, query::RequestError};
use crate::track::source::causes::with_causes;

/// Why the pod cannot be watched through the API. Each message says what to do.
#[derive(Debug, Error)]
pub enum KubeError {
    /// The API server and our credentials are given nowhere.
    #[error(
        "the API server and our credentials are unknown ({0}); mount a service account's token into \
         the pod (`automountServiceAccountToken: true`), or give --kubeconfig, or --server and --token"
    )]
    NoAccess(#[from] InClusterError),
    /// Flags, the kubeconfig or the service account cannot be used.
    #[error("the API's client cannot be set up: {}", with_causes(.0))]
    Setup(#[from] SetupError),
    /// The namespace is not known.
    #[error(
        "the pod's namespace is not known: name it with --namespace, or in POD_NAMESPACE (downward \
         API, fieldPath metadata.namespace)"
    )]
    NoNamespace,
    /// The pod's name is not known.
    #[error(
        "the pod's name is not known: name it with --pod-name, or in POD_NAME (downward API, \
         fieldPath metadata.name)"
    )]
    NoPodName,
    /// We lack permission.
    #[error(
        "the API server {server} does not let us watch the pod ({source}); our service account needs \
         the verbs list and watch on pods in the namespace {namespace} (a Role and a RoleBinding)"
    )]
    Denied {
        /// The API server.
        server: String,
        /// The pod's namespace.
        namespace: String,
        /// The server's answer.
        source: RequestError,
    },
    /// The server rejects the request for another reason.
    #[error("the API server {server} rejects the request for our pod: {source}")]
    Rejected {
        /// The API server.
        server: String,
        /// The server's answer.
        source: RequestError,
    },
    /// No answer came in time.
    #[error(
        "the API server {server} gave no answer within {waited:?} ({source}); check that the pod can \
         reach it (--server, network policies, a mesh's proxy that starts later)"
    )]
    Unreachable {
        /// The API server.
        server: String,
        /// How long we tried.
        waited: Duration,
        /// The error of the last try.
        source: RequestError,
    },
    /// The API does not know our pod.
    #[error(
        "the namespace {namespace} has no pod {pod}; that name comes from {origin}. On the node's \
         network (`hostNetwork`) the host name is not the pod's name: name the pod with --pod-name, or \
         in POD_NAME (downward API, fieldPath metadata.name)"
    )]
    NoSuchPod {
        /// The pod's name.
        pod: String,
        /// The pod's namespace.
        namespace: String,
        /// Where the pod's name comes from.
        origin: &'static str,
    },
    /// The pod of that name is not ours.
    #[error(
        "the pod {pod} of the API is not the one that we run in: its uid is {theirs}, ours is {ours}. \
         Name our pod with --pod-name and --namespace"
    )]
    OtherPod {
        /// The pod's name.
        pod: String,
        /// The uid in the API.
        theirs: String,
        /// The uid in our mounts.
        ours: String,
    },
}

/// Why the service account that kubelet mounts cannot be used.
#[derive(Debug, Error)]
pub enum InClusterError {
    /// Kubelet sets this variable in each container of a pod.
    #[error("{0} is not set")]
    NotSet(&'static str),
    /// The address of the API server's service is malformed.
    #[error(
        "KUBERNETES_SERVICE_HOST {host} and KUBERNETES_SERVICE_PORT {port} do not form an address"
    )]
    Address {
        /// The host.
        host: String,
        /// The port.
        port: String,
    },
    /// A file of the service account cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the read.
        source: io::Error,
    },
    /// The file with the namespace is empty.
    #[error("{} is empty", path.display())]
    NoNamespace {
        /// The file.
        path: PathBuf,
    },
}

/// Why flags, a kubeconfig or the service account cannot be used.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The kubeconfig cannot be used.
    #[error(transparent)]
    Kubeconfig(#[from] KubeconfigError),
    /// A flag chooses within a kubeconfig, and no kubeconfig is given.
    #[error(
        "--context, --cluster and --user choose within a kubeconfig: name one with --kubeconfig"
    )]
    NothingToChooseFrom,
    /// The server's address is malformed.
    #[error("{name} is not the address of an HTTP server")]
    Address {
        /// The address, and the flag or field that gave it.
        name: String,
    },
    /// A file cannot be read.
    #[error("{name}: it cannot be read")]
    File {
        /// The file, and the flag or field that named it.
        name: String,
        /// The error of the read.
        #[source]
        source: io::Error,
    },
    /// A token's file is empty, or not text.
    #[error("{name}: it is empty, or not text")]
    NoToken {
        /// The file.
        name: String,
    },
    /// A text is not PEM.
    #[error("{name}: it is not PEM")]
    Pem {
        /// The flag or field that named it.
        name: String,
        /// The error of the parser.
        #[source]
        source: pem::Error,
    },
    /// A PEM text does not hold a certificate.
    #[error("{name}: it holds no certificate in PEM")]
    NoCertificate {
        /// The flag or field that named it.
        name: String,
    },
    /// A certificate of an authority is malformed.
    #[error("{name}: a certificate in it cannot be used")]
    Certificate {
        /// The flag or field that named it.
        name: String,
        /// The error of the TLS library.
        #[source]
        source: rustls::Error,
    },
    /// A client certificate without its key, or a key without its certificate.
    #[error("{given} is given, but {missing} is not")]
    HalfIdentity {
        /// The flag or field that is given.
        given: String,
        /// The half that is missing.
        missing: &'static str,
    },
    /// Our client certificate and its key do not match.
    #[error("the client's certificate and key cannot be used")]
    Identity(#[source] rustls::Error),
    /// The TLS library cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The name for the server's certificate is malformed.
    #[error("{name:?}, of --tls-server-name or tls-server-name, is not a name for a certificate")]
    ServerName {
        /// The name that was given.
        name: String,
        /// The rule that it breaks.
        #[source]
        source: InvalidDnsNameError,
    },
    /// A header cannot hold a text. The message does not show the text, which may be secret.
    #[error("{header}: it cannot be sent in an HTTP header")]
    Header {
        /// The purpose of the text.
        header: String,
        /// The rule that it breaks.
        #[source]
        source: InvalidHeaderValue,
    },
}
