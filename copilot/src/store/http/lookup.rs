//! Looking up the addresses of a host.
//!
//! The system's resolver blocks, so each lookup has a thread of its own. Where the pod may not start another
//! thread (`pids.max`), the lookup fails, and the request is sent again later: the runtime's pool of threads
//! would end the process. Caller: `transport`.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::thread;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

/// The system's resolver.
#[derive(Debug)]
pub(super) struct SystemResolver;

/// Why a host has no addresses.
#[derive(Debug, thiserror::Error)]
enum LookupError {
    /// No thread can be started.
    #[error(
        "no thread can be started to look up {host}: {source}. The pod may have too few processes and threads \
         (pids.max): raise that limit, or look for the container that starts so many"
    )]
    Thread {
        host: String,
        #[source]
        source: io::Error,
    },
    /// The resolver has no answer.
    #[error("{host} cannot be looked up: {source}")]
    Resolver {
        host: String,
        #[source]
        source: io::Error,
    },
    /// The thread ended without an answer.
    #[error("the lookup of {host} broke off")]
    Broken { host: String },
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let found = look_up(host)
                .await
                .map_err(Box::<dyn Error + Send + Sync>::from)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

async fn look_up(host: String) -> Result<Vec<SocketAddr>, LookupError> {
    let (answer, answered) = oneshot::channel();
    let asked = host.clone();
    let thread = thread::Builder::new().name("lookup".to_owned());
    // The caller sets the port. Nobody can end a blocked resolver: if the request is given up, the thread ends
    // when the resolver does, and nobody waits for its answer.
    let started = thread.spawn(move || {
        let found = (asked.as_str(), 0).to_socket_addrs().map(Vec::from_iter);
        let _ = answer.send(found);
    });
    if let Err(source) = started {
        return Err(LookupError::Thread { host, source });
    }
    match answered.await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(source)) => Err(LookupError::Resolver { host, source }),
        Err(_) => Err(LookupError::Broken { host }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_has_addresses_or_the_error_names_it() {
        let found = look_up("localhost".to_owned()).await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()));
        let refused = look_up("a b.invalid".to_owned()).await.unwrap_err();
        assert!(refused.to_string().contains("a b.invalid"), "{refused}");
    }
}
