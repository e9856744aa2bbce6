//! Why the API cannot be watched: found out before the wait begins.

use std::{io, time::Duration};

use http::header::InvalidHeaderValue;
use rustls::pki_types::{InvalidDnsNameError, pem};
use thiserror::Error;

use super::{
    KubeconfigError,
    question::{Trouble, chain},
};

/// Why the pod cannot be watched through the API. Each message names the way out.
#[derive(Debug, Error)]
pub enum KubeError {
    /// Nobody says where the API server is and who we are.
    #[error(
        "no way to the API was found ({cause}); the pod needs a service account's token \
         (`automountServiceAccountToken: true`), or name one with --kubeconfig, or with --server and \
         --token"
    )]
    NoAccess {
        /// What was looked for.
        cause: String,
    },
    /// What flags or a kubeconfig say of the API makes no client.
    #[error("the API's client cannot be set up: {}", chain(.0))]
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
    /// We are not allowed to ask.
    #[error(
        "the API server {server} does not let us watch the pod ({trouble}); our service account needs \
         the verbs list and watch on pods in the namespace {namespace} (a Role and a RoleBinding)"
    )]
    Denied {
        /// The API server.
        server: String,
        /// The namespace.
        namespace: String,
        /// Its answer.
        trouble: Trouble,
    },
    /// The server does not understand us.
    #[error("the API server {server} refuses the question for our pod: {trouble}")]
    Rejected {
        /// The API server.
        server: String,
        /// Its answer.
        trouble: Trouble,
    },
    /// No answer came in time.
    #[error(
        "the API server {server} gave no answer within {waited:?} ({trouble}); is the way to it open \
         (network policies, a mesh's proxy that is not there yet, --server)?"
    )]
    Unreachable {
        /// The API server.
        server: String,
        /// How long it was tried.
        waited: Duration,
        /// What the last try brought.
        trouble: Trouble,
    },
    /// The API knows no such pod.
    #[error(
        "there is no pod {pod} in the namespace {namespace}; the pod's name was taken from {origin}. \
         On the node's network (`hostNetwork`) the host name is not the pod's name: name it with \
         --pod-name, or in POD_NAME (downward API, fieldPath metadata.name)"
    )]
    NoSuchPod {
        /// The name that was looked for.
        pod: String,
        /// Where.
        namespace: String,
        /// Who said so.
        origin: &'static str,
    },
    /// The pod of that name is not ours.
    #[error(
        "the pod {pod} of the API is not the one that we run in: its uid is {theirs}, ours {ours}. \
         Name ours with --pod-name and --namespace"
    )]
    OtherPod {
        /// The name that was looked for.
        pod: String,
        /// The uid that the API tells.
        theirs: String,
        /// The uid that our mounts tell.
        ours: String,
    },
}

/// Why what flags, a kubeconfig or the service account say makes no client.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The kubeconfig cannot be used.
    #[error(transparent)]
    Kubeconfig(#[from] KubeconfigError),
    /// A choice within no file.
    #[error(
        "--context, --cluster and --user choose within a kubeconfig: name one with --kubeconfig"
    )]
    NothingToChooseFrom,
    /// No address.
    #[error("{name} is not the address of an HTTP server")]
    Address {
        /// What was given, and where.
        name: String,
    },
    /// A file cannot be read.
    #[error("{name}: it cannot be read")]
    File {
        /// The file, and who named it.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is empty where a token should be.
    #[error("{name}: it is empty, or not text")]
    NoToken {
        /// The file.
        name: String,
    },
    /// No PEM.
    #[error("{name}: it is not PEM")]
    Pem {
        /// Who named it.
        name: String,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// Nobody to trust.
    #[error("{name}: it holds no certificate in PEM")]
    NoCertificate {
        /// Who named it.
        name: String,
    },
    /// A certificate of nobody.
    #[error("{name}: a certificate in it cannot be used")]
    Certificate {
        /// Who named it.
        name: String,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// Half of what says who we are.
    #[error("{given} is given, but {missing} is not")]
    HalfIdentity {
        /// Who named what is there.
        given: String,
        /// What is not.
        missing: &'static str,
    },
    /// Our certificate and its key do not go together.
    #[error("the client's certificate and key cannot be used")]
    Identity(#[source] rustls::Error),
    /// TLS itself.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// No name for a certificate.
    #[error("{name:?}, of --tls-server-name or tls-server-name, is not a name for a certificate")]
    ServerName {
        /// What was given.
        name: String,
        /// Why.
        #[source]
        source: InvalidDnsNameError,
    },
    /// A text that no header may hold; it may be secret.
    #[error("{header}: it cannot be sent in a header of HTTP")]
    Header {
        /// What it was for.
        header: String,
        /// Why.
        #[source]
        source: InvalidHeaderValue,
    },
}
