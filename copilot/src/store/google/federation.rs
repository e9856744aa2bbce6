//! Workload identity federation: Google exchanges a token of another platform for one of its own (RFC
//! 8693), and perhaps lets it act as a service account.
//!
//! The platform's token is in a file that the platform replaces, or comes from a server of the machine.
//! Google's libraries also sign requests to AWS and start programs; those sources are refused by name.
//! Caller: `account` reads it, `token` asks it.

use std::collections::BTreeMap;

use chrono::DateTime;
use http::{HeaderName, HeaderValue, Method, header};
use object_store::client::HttpRequestBody;
use serde::Deserialize;
use serde_json::{Value, json};

use super::exchange::{AccessToken, confidential, form, request, send};
use crate::config::secret::SecretForm;
use crate::store::credentials::{Lifetime, credential_failure};
use crate::store::error::SettingError;
use crate::store::http::{Client, RequestFailure};
use crate::store::secret;

/// The scope that a token needs to ask for an impersonation.
const PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The part of a credential file that describes it.
#[derive(Deserialize)]
pub(super) struct FederationFile {
    audience: Option<String>,
    subject_token_type: Option<String>,
    token_url: Option<String>,
    service_account_impersonation_url: Option<String>,
    #[serde(default)]
    credential_source: SubjectSource,
}

#[derive(Default, Deserialize)]
struct SubjectSource {
    file: Option<String>,
    url: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    format: SubjectFormat,
    environment_id: Option<String>,
    executable: Option<Value>,
    certificate: Option<Value>,
}

#[derive(Default, Deserialize)]
struct SubjectFormat {
    #[serde(default)]
    r#type: String,
    subject_token_field_name: Option<String>,
}

/// Where the platform's token comes from, and who exchanges it.
pub(super) struct Federation {
    audience: String,
    kind: String,
    exchange: String,
    impersonation: Option<String>,
    subject: Subject,
    /// The member that holds the token, where it is JSON.
    field: Option<String>,
}

enum Subject {
    File(String),
    Server {
        address: String,
        headers: Vec<(HeaderName, HeaderValue)>,
    },
}

/// The answer to an impersonation.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Impersonated {
    access_token: String,
    /// A text, or anything else, which says nothing.
    expire_time: Option<Value>,
}

impl Federation {
    /// # Errors
    /// The rule that the file breaks.
    pub(super) fn new(file: FederationFile) -> Result<Self, SettingError> {
        let needed = |name: &str, value: Option<String>| {
            value.ok_or_else(|| SettingError::from(format!("it lacks {name}")))
        };
        let source = file.credential_source;
        for (name, is_there) in [
            ("environment_id (AWS)", source.environment_id.is_some()),
            ("executable", source.executable.is_some()),
            ("certificate", source.certificate.is_some()),
        ] {
            if is_there {
                return Err(
                    format!("credential_source.{name} is not supported; use file or url").into(),
                );
            }
        }
        let field = match source.format.r#type.as_str() {
            "" | "text" => None,
            "json" => Some(needed(
                "credential_source.format.subject_token_field_name",
                source.format.subject_token_field_name,
            )?),
            other => {
                return Err(format!(
                    "credential_source.format is {other:?}: it must be text or json"
                )
                .into());
            }
        };
        let subject = match (source.file, source.url) {
            (Some(path), None) => Subject::File(path),
            (None, Some(address)) => Subject::Server {
                address,
                headers: headers(&source.headers)?,
            },
            _ => return Err("credential_source must have one of file and url".into()),
        };
        let impersonation = file.service_account_impersonation_url;
        Ok(Self {
            audience: needed("audience", file.audience)?,
            kind: needed("subject_token_type", file.subject_token_type)?,
            exchange: confidential("token_url", &needed("token_url", file.token_url)?)?,
            impersonation: impersonation
                .map(|address| confidential("service_account_impersonation_url", &address))
                .transpose()?,
            subject,
            field,
        })
    }

    /// Gets a token for these scopes.
    pub(super) async fn token(
        &self,
        scopes: &[String],
        client: &Client,
    ) -> Result<AccessToken, RequestFailure> {
        let subject = self.subject(client).await?;
        let scope = match self.impersonation {
            Some(_) => PLATFORM.to_owned(),
            None => scopes.join(" "),
        };
        let grant = "urn:ietf:params:oauth:grant-type:token-exchange".to_owned();
        let wanted = "urn:ietf:params:oauth:token-type:access_token".to_owned();
        let fields = [
            ("grant_type", grant),
            ("requested_token_type", wanted),
            ("audience", self.audience.clone()),
            ("scope", scope),
            ("subject_token_type", self.kind.clone()),
            ("subject_token", subject),
        ];
        let body = send(client, &form(&self.exchange, &fields)?, "the exchange").await?;
        let token = AccessToken::read(&body, "the answer of the exchange holds no token")?;
        match &self.impersonation {
            Some(address) => impersonated(address, &token, scopes, client).await,
            None => Ok(token),
        }
    }

    /// The platform's token. Read each time, since the platform replaces it.
    async fn subject(&self, client: &Client) -> Result<String, RequestFailure> {
        let (text, from) = match &self.subject {
            Subject::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    credential_failure(format!("credential_source.file={path}: {error}"))
                })?;
                (text, path)
            }
            Subject::Server { address, headers } => {
                let mut question = request(Method::GET, address, HttpRequestBody::empty())?;
                question.headers_mut().extend(headers.iter().cloned());
                let body = send(client, &question, "credential_source.url").await?;
                (String::from_utf8_lossy(&body).into_owned(), address)
            }
        };
        let Some(field) = &self.field else {
            // A SAML assertion holds line ends.
            let source = format!("credential_source ({from})");
            return secret::clean(&source, SecretForm::Document, &text)
                .map(str::to_owned)
                .map_err(|error| credential_failure(error.to_string()));
        };
        let json: Option<Value> = serde_json::from_str(&text).ok();
        let token = json.as_ref().and_then(|json| json.get(field)?.as_str());
        let rule = || credential_failure(format!("{from} holds no text {field:?} in JSON"));
        token.map(str::to_owned).ok_or_else(rule)
    }
}

async fn impersonated(
    address: &str,
    by: &AccessToken,
    scopes: &[String],
    client: &Client,
) -> Result<AccessToken, RequestFailure> {
    let body = json!({"scope": scopes, "lifetime": "3600s"}).to_string();
    let mut question = request(Method::POST, address, body.into())?;
    let token = by.header()?;
    let json = HeaderValue::from_static("application/json");
    question.headers_mut().insert(header::AUTHORIZATION, token);
    question.headers_mut().insert(header::CONTENT_TYPE, json);
    let body = send(client, &question, "the service account's impersonation").await?;
    // The parser's error may quote the token.
    let found: Option<Impersonated> = serde_json::from_slice(&body).ok();
    let found = found.filter(|found| !found.access_token.is_empty());
    let found = found
        .ok_or_else(|| credential_failure("the answer of the impersonation holds no token"))?;
    let end = { found.expire_time.as_ref() }
        .and_then(Value::as_str)
        .and_then(|end| DateTime::parse_from_rfc3339(end.trim()).ok());
    Ok(AccessToken {
        text: found.access_token,
        // Without an end, a token serves until a store refuses it.
        lifetime: end.map_or(Lifetime::Endless, |end| Lifetime::Until(end.into())),
    })
}

fn headers(
    pairs: &BTreeMap<String, String>,
) -> Result<Vec<(HeaderName, HeaderValue)>, SettingError> {
    let header = |(name, value): (&String, &String)| {
        let rule = || format!("credential_source.headers: {name:?} or its value is not a header's");
        let value: HeaderValue = value.parse().map_err(|_| rule())?;
        Ok((name.parse().map_err(|_| rule())?, value))
    };
    pairs.iter().map(header).collect()
}
