//! The transports below the client, each with connections of its own, and built by the first request that needs
//! it. Caller: `client`.
//!
//! The system keeps the authorities that it trusts in hundreds of files, which a cold disk delivers slowly. So plain
//! HTTP has a transport of its own, which reads none of them and trusts nobody.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Uri;
use rustls::ClientConfig;

use super::failure::{FailureKind, RequestFailure};
use super::lookup::SystemResolver;
use super::{proxy, tls};
use crate::store::network::Network;

/// The transports.
#[derive(Debug)]
pub(super) struct Transports {
    network: Network,
    /// The file of certificate authorities that the settings name, or an empty string.
    ca_file: String,
    /// Whether the environment names proxies.
    has_proxies: bool,
    /// To hosts that may be behind a proxy, which may speak TLS itself.
    proxied: Slot,
    /// To hosts that are not, with TLS.
    tls: Slot,
    /// The same, without TLS.
    plain: Slot,
}

/// A transport, or why there can be none; not set before it is needed.
type Slot = OnceLock<Result<reqwest::Client, RequestFailure>>;

impl Transports {
    /// Transports within these limits. Nothing is loaded or opened yet.
    pub(super) fn new(network: &Network, ca_file: &str) -> Self {
        Self {
            network: network.clone(),
            ca_file: ca_file.to_owned(),
            has_proxies: proxy::are_named(),
            proxied: OnceLock::new(),
            tls: OnceLock::new(),
            plain: OnceLock::new(),
        }
    }

    /// The transport for a request to this address.
    pub(super) fn of(&self, address: &Uri) -> Result<&reqwest::Client, RequestFailure> {
        let host = address.host().unwrap_or_default();
        let found = if self.has_proxies && !proxy::is_near(host) {
            self.proxied
                .get_or_init(|| self.build(tls_of(&self.ca_file)?, true))
        } else if address.scheme_str() == Some("http") {
            let trusts_nobody = || tls::client_config(rustls::RootCertStore::empty());
            self.plain
                .get_or_init(|| self.build(trusts_nobody().map_err(|error| wrong(&error))?, false))
        } else {
            self.tls
                .get_or_init(|| self.build(tls_of(&self.ca_file)?, false))
        };
        found.as_ref().map_err(Clone::clone)
    }

    fn build(
        &self,
        tls: ClientConfig,
        heeds_proxies: bool,
    ) -> Result<reqwest::Client, RequestFailure> {
        let network = &self.network;
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            // A redirect would carry a signature to a host that it was not meant for.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(network.connect_timeout)
            .pool_max_idle_per_host(network.connections)
            // Less than the idle limit of common load balancers (60 s), so we rarely use a closed one.
            .pool_idle_timeout(Duration::from_secs(20))
            .dns_resolver(Arc::new(SystemResolver))
            .user_agent(concat!("copilot/", env!("CARGO_PKG_VERSION")));
        let builder = if heeds_proxies {
            builder
        } else {
            builder.no_proxy()
        };
        let built = builder.build();
        built.map_err(|error| RequestFailure::from_transport(&error))
    }
}

/// TLS with the authorities that we trust: ours, the system's and those of this file.
fn tls_of(ca_file: &str) -> Result<ClientConfig, RequestFailure> {
    let authorities = tls::authorities(ca_file).map_err(|error| wrong(&error))?;
    tls::client_config(tls::all_roots(authorities)).map_err(|error| wrong(&error))
}

fn wrong(error: &dyn std::fmt::Display) -> RequestFailure {
    RequestFailure::new(FailureKind::Tls, format!("TLS cannot be set up: {error}"))
}
