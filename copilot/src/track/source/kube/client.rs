//! Sends requests to the API server: directly, never through a proxy, which would resolve a cluster's
//! addresses in its own network.
//!
//! Uses hyper, on which the stores' `reqwest` is built, because `reqwest` cannot check a certificate
//! against another name (`--tls-server-name`). The stores' retries and back-pressure serve transfers;
//! here `follow` decides when to ask again, and `query` sets the deadline of each request.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{
    HeaderValue, Request, Response, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, USER_AGENT},
};
use hyper::body::Incoming;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::pki_types::ServerName;
use thiserror::Error;
use tracing::{debug, warn};

use super::{
    SetupError,
    api_config::ApiConfig,
    authorization::Authorization,
    tls::{Material, client_config},
};
use crate::track::source::causes::with_causes;

/// After this much silence the kernel checks whether the other end still exists.
const KEEPALIVE: Duration = Duration::from_mins(1);

type Http = HttpClient<HttpsConnector<HttpConnector>, String>;

/// Why the server gave no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The request itself is invalid.
    #[error("the request cannot be built")]
    Request(#[from] http::Error),
    /// The request could not be sent, or no answer came.
    #[error("the request to the server failed")]
    Send(#[source] hyper_util::client::legacy::Error),
}

/// Sends requests to one API server; cheap to clone.
#[derive(Clone)]
pub struct ApiClient(Arc<Inner>);

struct Inner {
    config: ApiConfig,
    authorization: Authorization,
    /// The HTTP client, and the files' content from which it was built.
    built: Mutex<(Material, Http)>,
}

impl ApiClient {
    /// A client with this configuration. Reads the files that it names, and sends nothing yet.
    pub fn new(config: ApiConfig) -> Result<Self, SetupError> {
        let material = Material::read(&config)?;
        let http = build(&config, &material)?;
        Ok(Self(Arc::new(Inner {
            authorization: Authorization::new(&config.login)?,
            built: Mutex::new((material, http)),
            config,
        })))
    }

    /// Sends a request; returns the head of the answer, with any status. The caller reads the body.
    ///
    /// A 401 may mean that our token was renewed after we read it: then the request is sent once more,
    /// with the new token.
    pub async fn send(
        &self,
        request: &Request<Vec<u8>>,
    ) -> Result<Response<Incoming>, ClientError> {
        let sent = self.0.authorization.header();
        let response = self.once(request, sent.as_ref()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match self.0.authorization.renewed(sent.as_ref()) {
            Some(header) => {
                debug!(
                    "the server refused our token, and the token has changed since: trying again"
                );
                self.once(request, Some(&header)).await
            }
            None => Ok(response),
        }
    }

    async fn once(
        &self,
        request: &Request<Vec<u8>>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response<Incoming>, ClientError> {
        let mut outgoing = Request::get(self.target(request.uri())?).body(String::new())?;
        let headers = outgoing.headers_mut();
        headers.extend(self.0.config.act_as.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let agent = HeaderValue::from_static(concat!("copilot/", env!("CARGO_PKG_VERSION")));
        headers.insert(USER_AGENT, agent);
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let answer = self.http().request(outgoing).await;
        answer.map_err(ClientError::Send)
    }

    /// The request's address on our server, whose own address may have a path.
    fn target(&self, request: &Uri) -> Result<Uri, http::Error> {
        let server = &self.0.config.server;
        let base = server.path().trim_end_matches('/');
        let path = request.path_and_query().map_or("/", |path| path.as_str());
        let mut parts = server.clone().into_parts();
        parts.path_and_query = Some(format!("{base}{path}").parse()?);
        Ok(Uri::from_parts(parts)?)
    }

    /// The HTTP client, built again if its files have changed. While the files cannot be used, for
    /// instance halfway through a renewal, the present client stays in use.
    fn http(&self) -> Http {
        let mut built = self.0.built.lock().unwrap_or_else(PoisonError::into_inner);
        let renewed = Material::read(&self.0.config).and_then(|material| {
            if material == built.0 {
                return Ok(None);
            }
            let http = build(&self.0.config, &material)?;
            Ok(Some((material, http)))
        });
        match renewed {
            Ok(None) => {}
            Ok(Some(renewed)) => {
                debug!("the certificates have changed: connecting again");
                *built = renewed;
            }
            Err(error) => {
                warn!(
                    error = with_causes(&error),
                    "the certificates cannot be read again: the last ones stay in use"
                );
            }
        }
        built.1.clone()
    }
}

fn build(config: &ApiConfig, material: &Material) -> Result<Http, SetupError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE));
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(client_config(config, material)?)
        .https_or_http();
    let builder = match &config.tls_server_name {
        Some(name) => {
            let parsed = ServerName::try_from(name.clone());
            let parsed = parsed.map_err(|source| SetupError::ServerName {
                name: name.clone(),
                source,
            })?;
            builder.with_server_name_resolver(FixedServerNameResolver::new(parsed))
        }
        None => builder,
    };
    let connector = builder.enable_http1().wrap_connector(tcp);
    Ok(HttpClient::builder(TokioExecutor::new())
        .pool_max_idle_per_host(1)
        .build(connector))
}

#[cfg(test)]
mod tests;
