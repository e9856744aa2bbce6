//! The client as a transport of `object_store`. Callers: `s3`, `google`, `azure`.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};

use super::client::{Answer, Authorize, Client};

/// Sends the requests of one store through our client.
#[derive(Clone, Debug)]
pub struct Service {
    client: Client,
    authorize: Arc<dyn Authorize>,
}

impl Service {
    /// A transport over `client`.
    #[must_use]
    pub fn new(client: Client, authorize: Arc<dyn Authorize>) -> Self {
        Self { client, authorize }
    }
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.client
            .send(&request, self.authorize.as_ref(), Answer::Head)
            .await
            // The kind steers retries of the library, which are off.
            .map_err(|failure| HttpError::new(HttpErrorKind::Unknown, failure))
    }
}

impl HttpConnector for Service {
    /// The options are for a client of the library, which we do not use.
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}
