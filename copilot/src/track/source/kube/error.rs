//! Why the API cannot be watched: found out before the wait begins.

use std::time::Duration;

use thiserror::Error;

use super::question::Trouble;

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
    #[error("the API's client cannot be set up: {cause}")]
    Setup {
        /// Why.
        cause: String,
    },
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
