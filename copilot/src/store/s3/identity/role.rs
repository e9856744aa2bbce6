//! A role, taken on at STS with the credentials of somebody else.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderValue, Method, header};
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::HttpRequest;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::temporary::{Granted, Source, credential_failure, keys, until};
use crate::store::http::{Answer, Authorize, Client, Failure, causes};

/// What is asked for, and by whom.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) source: AwsCredentialProvider,
    pub(super) arn: String,
    pub(super) session: String,
    pub(super) external_id: Option<String>,
    pub(super) seconds: u32,
    pub(super) endpoint: String,
    pub(super) region: String,
    pub(super) client: Client,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answered {
    assume_role_result: Taken,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Taken {
    credentials: Credentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

/// Signs the request as whoever takes on the role.
#[derive(Debug)]
struct Signer<'a>(&'a Role);

#[async_trait]
impl Authorize for Signer<'_> {
    async fn authorize(&self, request: &mut HttpRequest) -> Result<(), Failure> {
        let Self(role) = self;
        let credential = role.source.get_credential().await.map_err(|error| {
            let cause = Failure::within(&error).map_or_else(|| causes(&error), ToString::to_string);
            credential_failure(cause)
        })?;
        AwsAuthorizer::new(&credential, "sts", &role.region)
            .try_authorize(request, None)
            .map_err(|error| credential_failure(causes(&error)))
    }
}

impl Role {
    fn request(&self) -> Result<HttpRequest, Failure> {
        let seconds = self.seconds.to_string();
        let mut pairs = vec![
            ("Action", "AssumeRole"),
            ("Version", "2011-06-15"),
            ("DurationSeconds", &seconds),
            ("RoleArn", &self.arn),
            ("RoleSessionName", &self.session),
        ];
        if let Some(id) = &self.external_id {
            pairs.push(("ExternalId", id));
        }
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        let mut request = HttpRequest::new(pairs.join("&").into());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("{}/", self.endpoint)
            .parse()
            .map_err(|error| credential_failure(format!("no address of STS: {error}")))?;
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(request)
    }
}

#[async_trait]
impl Source for Role {
    async fn fetch(&self) -> Result<Granted, Failure> {
        let request = self.request()?;
        let sent = self
            .client
            .send(&request, &Signer(self), Answer::Whole)
            .await;
        let answer = sent.map_err(|failure| {
            let (role, sts) = (&self.arn, &self.endpoint);
            credential_failure(format!("role {role} is not granted by {sts}: {failure}"))
        })?;
        let body = answer.into_body().bytes().await;
        let body = body.map_err(|error| credential_failure(error.to_string()))?;
        // The error's own words may quote a secret.
        let answered: Answered = quick_xml::de::from_reader(body.as_ref())
            .map_err(|_| credential_failure("STS answers with no credentials"))?;
        let given = answered.assume_role_result.credentials;
        Ok(Granted {
            until: until(Some(&given.expiration))?,
            credential: Arc::new(keys(
                given.access_key_id,
                given.secret_access_key,
                Some(given.session_token),
            )?),
        })
    }
}
