//! A role that STS grants to another identity of ours, or for a token of the platform's (web identity). Caller:
//! `identity`.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderValue, Method, header};
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::HttpRequest;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{keys, lifetime};
use crate::config::secret::SecretForm;
use crate::store::credentials::{
    CredentialCache, CredentialSource, Granted, credential_failure, refused_credential,
};
use crate::store::error::SettingError;
use crate::store::http::{Answer, Authorize, Client, RequestFailure, causes};
use crate::store::secret;

/// The role, and who asks for it.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) asker: Asker,
    pub(super) arn: String,
    pub(super) session: String,
    pub(super) external_id: Option<String>,
    pub(super) seconds: u32,
    pub(super) endpoint: String,
    pub(super) region: String,
    pub(super) client: Client,
}

/// Who asks for a role.
#[derive(Debug)]
pub(super) enum Asker {
    /// An identity of ours, which signs the request.
    Identity(CredentialCache<Arc<AwsCredential>>),
    /// The holder of the token in this file. It is read each time, since the platform replaces it.
    TokenFile(String),
}

/// The token that a file holds, without white space around it.
///
/// # Errors
/// The file cannot be read, or holds more than a token, or nothing.
pub(super) fn token(file: &str) -> Result<String, SettingError> {
    let setting = "the file of a web identity's token";
    let token = secret::from_file(setting, SecretForm::Header, file)?;
    if token.is_empty() {
        return Err(format!("{setting}={file}: the file is empty").into());
    }
    Ok(token)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRoleResponse {
    #[serde(alias = "AssumeRoleWithWebIdentityResult")]
    assume_role_result: AssumeRoleResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRoleResult {
    credentials: StsCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StsCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

/// Signs the request as the identity that asks for the role.
#[derive(Debug)]
struct StsSigner<'a>(&'a Role);

#[async_trait]
impl Authorize for StsSigner<'_> {
    async fn authorize(&self, request: &mut HttpRequest) -> Result<(), RequestFailure> {
        let Self(role) = self;
        let Asker::Identity(source) = &role.asker else {
            return Ok(());
        };
        let credential = source.get().await?;
        AwsAuthorizer::new(&credential, "sts", &role.region)
            .try_authorize(request, None)
            .map_err(|error| credential_failure(causes(&error)))
    }
}

impl Role {
    fn request(&self) -> Result<HttpRequest, RequestFailure> {
        let seconds = self.seconds.to_string();
        let token = match &self.asker {
            Asker::Identity(_) => None,
            Asker::TokenFile(file) => {
                let token = token(file);
                Some(token.map_err(|error| credential_failure(error.to_string()))?)
            }
        };
        let action = match token {
            Some(_) => "AssumeRoleWithWebIdentity",
            None => "AssumeRole",
        };
        let mut pairs = vec![
            ("Action", action),
            ("Version", "2011-06-15"),
            ("DurationSeconds", &seconds),
            ("RoleArn", &self.arn),
            ("RoleSessionName", &self.session),
        ];
        if let Some(id) = &self.external_id {
            pairs.push(("ExternalId", id));
        }
        if let Some(token) = &token {
            pairs.push(("WebIdentityToken", token));
        }
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        let mut request = HttpRequest::new(pairs.join("&").into());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("{}/", self.endpoint).parse().map_err(|error| {
            credential_failure(format!("the address of STS is invalid: {error}"))
        })?;
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(request)
    }
}

#[async_trait]
impl CredentialSource<Arc<AwsCredential>> for Role {
    async fn fetch(&self) -> Result<Granted<Arc<AwsCredential>>, RequestFailure> {
        let request = self.request()?;
        let sent = self
            .client
            .send(&request, &StsSigner(self), Answer::Whole)
            .await;
        let answer = sent.map_err(|failure| {
            let (role, sts) = (&self.arn, &self.endpoint);
            let message = format!("role {role} is not granted by {sts}: {failure}");
            refused_credential(message, &failure)
        })?;
        let body = answer.into_body().bytes().await;
        let body = body.map_err(|error| credential_failure(error.to_string()))?;
        granted(&body)
    }
}

/// The keys in an answer.
fn granted(body: &[u8]) -> Result<Granted<Arc<AwsCredential>>, RequestFailure> {
    // The parser's error may quote a secret.
    let answered: AssumeRoleResponse = quick_xml::de::from_reader(body)
        .map_err(|_| credential_failure("the answer of STS holds no credentials"))?;
    let given = answered.assume_role_result.credentials;
    Ok(Granted {
        lifetime: lifetime(given.expiration.as_deref()),
        credential: keys(
            given.access_key_id,
            given.secret_access_key,
            given.session_token,
        )?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::credentials::Lifetime;

    #[test]
    fn both_keys_are_needed_and_no_more() {
        let answer = |fields: &str| {
            let result = format!(
                "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
                 <Credentials>{fields}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
            );
            granted(result.as_bytes())
        };
        let both = "<AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey>";
        for more in [
            "",
            "<SessionToken/><Expiration/>",
            "<Expiration>soon</Expiration>",
        ] {
            let granted = answer(&format!("{both}{more}")).unwrap();
            assert_eq!(granted.lifetime, Lifetime::Endless, "{more}");
            assert_eq!(granted.credential.token, None);
        }
        let more = "<SessionToken>t</SessionToken><Expiration>2125-01-01T00:00:00Z</Expiration>";
        let whole = answer(&format!("{both}{more}")).unwrap();
        assert!(matches!(whole.lifetime, Lifetime::Until(_)));
        assert_eq!(whole.credential.token.as_deref(), Some("t"));
        for fields in [
            "",
            "<AccessKeyId>a</AccessKeyId>",
            "<SecretAccessKey>b</SecretAccessKey>",
        ] {
            assert!(answer(fields).is_err(), "{fields}");
        }
    }
}
