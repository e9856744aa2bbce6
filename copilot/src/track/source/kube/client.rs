//! Sends requests to the API server: directly, never through a proxy, which would look for a cluster's
//! addresses at its own place.
//!
//! This is the client that lies under the stores' `reqwest`, which cannot be asked for a certificate of
//! another name (`--tls-server-name`). The stores' retries and back-pressure are for transfers;
//! `follow` knows when to ask again. No deadline is kept here: `question` keeps one for each call.

use std::{
    error::Error as _,
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
    credential::Credential,
    tls::{Material, client_config},
    way::Way,
};

/// After how much silence the kernel asks whether the other end is still there.
const KEEPALIVE: Duration = Duration::from_mins(1);

type Http = HttpClient<HttpsConnector<HttpConnector>, String>;

/// Why the server gave no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The request itself is wrong.
    #[error("the request cannot be built")]
    Request(#[from] http::Error),
    /// It could not be sent, or no answer came.
    #[error("the server cannot be asked")]
    Send(#[source] hyper_util::client::legacy::Error),
}

/// Asks one API server; cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    way: Way,
    credential: Credential,
    /// What connects, and the material that it was built from.
    built: Mutex<(Material, Http)>,
}

impl Client {
    /// A client for this way. Files are read, nobody is asked.
    pub fn new(way: Way) -> Result<Self, SetupError> {
        let material = Material::read(&way)?;
        let http = build(&way, &material)?;
        Ok(Self(Arc::new(Shared {
            credential: Credential::new(&way.login)?,
            built: Mutex::new((material, http)),
            way,
        })))
    }

    /// The answer's head, whatever its status; the body is the caller's to read.
    ///
    /// A 401 may mean that our token was renewed after it was read: then the request is sent again,
    /// once, with the new one.
    pub async fn send(
        &self,
        request: &Request<Vec<u8>>,
    ) -> Result<Response<Incoming>, ClientError> {
        let sent = self.0.credential.header();
        let response = self.once(request, sent.as_ref()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match self.0.credential.renewed(sent.as_ref()) {
            Some(header) => {
                debug!("the server refused our token, which has been renewed since: asking again");
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
        headers.extend(self.0.way.act_as.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let agent = HeaderValue::from_static(concat!("copilot/", env!("CARGO_PKG_VERSION")));
        headers.insert(USER_AGENT, agent);
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let answer = self.http().request(outgoing).await;
        answer.map_err(ClientError::Send)
    }

    /// The request's place on our server, which may itself lie below a path.
    fn target(&self, place: &Uri) -> Result<Uri, http::Error> {
        let server = &self.0.way.server;
        let base = server.path().trim_end_matches('/');
        let place = place.path_and_query().map_or("/", |place| place.as_str());
        let mut parts = server.clone().into_parts();
        parts.path_and_query = Some(format!("{base}{place}").parse()?);
        Ok(Uri::from_parts(parts)?)
    }

    /// What connects, built anew if its files have changed. While they cannot be used, as in the middle
    /// of being replaced, it stays as it was.
    fn http(&self) -> Http {
        let mut built = self.0.built.lock().unwrap_or_else(PoisonError::into_inner);
        let renewed = Material::read(&self.0.way).and_then(|material| {
            if material == built.0 {
                return Ok(None);
            }
            let http = build(&self.0.way, &material)?;
            Ok(Some((material, http)))
        });
        match renewed {
            Ok(None) => {}
            Ok(Some(renewed)) => {
                debug!("certificates have changed: connecting anew");
                *built = renewed;
            }
            Err(error) => {
                let cause = error.source().map(ToString::to_string);
                warn!(%error, cause, "certificates are not read anew: the last ones are used");
            }
        }
        built.1.clone()
    }
}

fn build(way: &Way, material: &Material) -> Result<Http, SetupError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE));
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(client_config(way, material)?)
        .https_or_http();
    let builder = match &way.tls_server_name {
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
