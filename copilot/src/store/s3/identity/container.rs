//! The container's endpoint: that of ECS or EKS Pod Identity, or a server that plays it. Caller:
//! `identity`.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use http::header;
use object_store::aws::AwsCredential;
use object_store::client::{HttpRequest, HttpRequestBody};
use serde::Deserialize;

use super::{keys, lifetime};
use crate::config::secret::SecretForm;
use crate::store::credentials::{
    CredentialSource, Granted, credential_failure, refused_credential,
};
use crate::store::environment::Environment;
use crate::store::error::SettingError;
use crate::store::http::{Answer, Client, RequestFailure, Unsigned};
use crate::store::secret;

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// The endpoint of ECS, which relative addresses belong to.
const OF_ECS: &str = "http://169.254.170.2";

/// Hosts that may be asked without TLS: those of ECS and of EKS. So may loopback.
const PLAIN: [&str; 3] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

/// The endpoint, and the token that it knows us by.
#[derive(Debug)]
pub(super) struct ContainerEndpoint {
    address: String,
    /// The variable that names it.
    variable: &'static str,
    token: EndpointToken,
    client: Client,
}

enum EndpointToken {
    None,
    Given(String),
    /// Read each time, since the platform replaces it.
    File(String),
}

/// The endpoint's answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EndpointAnswer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    /// A text, or anything else, which says nothing.
    expiration: Option<serde_json::Value>,
}

impl ContainerEndpoint {
    /// The endpoint that the environment names, if it names one.
    pub(super) fn find(
        environment: &Environment,
        client: &Client,
    ) -> Result<Option<Self>, SettingError> {
        let (variable, address) = match (environment.get(RELATIVE), environment.get(FULL)) {
            (Some(path), _) if path.starts_with('/') => (RELATIVE, format!("{OF_ECS}{path}")),
            (Some(path), _) => {
                return Err(format!("{RELATIVE}={path:?}: it must begin with `/`").into());
            }
            (None, Some(address)) => (FULL, address.to_owned()),
            (None, None) => return Ok(None),
        };
        check(&address)?;
        let token = match (environment.get(TOKEN_FILE), environment.get(TOKEN)) {
            (Some(file), _) => {
                // Refuses at the start a file that holds more than a token. One that is not there may come.
                if Path::new(file).exists() {
                    secret::from_file(TOKEN_FILE, SecretForm::Text, file)?;
                }
                EndpointToken::File(file.to_owned())
            }
            (None, Some(token)) => {
                EndpointToken::Given(secret::clean(TOKEN, SecretForm::Text, token)?.to_owned())
            }
            (None, None) => EndpointToken::None,
        };
        Ok(Some(Self {
            address,
            variable,
            token,
            client: client.clone(),
        }))
    }

    /// The variable that names it.
    pub(super) fn variable(&self) -> &'static str {
        self.variable
    }

    fn token(&self) -> Result<Option<String>, RequestFailure> {
        match &self.token {
            EndpointToken::None => Ok(None),
            EndpointToken::Given(token) => Ok(Some(token.clone())),
            EndpointToken::File(path) => secret::from_file(TOKEN_FILE, SecretForm::Text, path)
                .map(Some)
                .map_err(|error| credential_failure(error.to_string())),
        }
    }
}

/// Refuses an address where others can listen: we send our token there.
fn check(address: &str) -> Result<(), SettingError> {
    let wrong = |rule: &str| SettingError::from(format!("{FULL}={address:?}: {rule}"));
    let url: reqwest::Url = address
        .parse()
        .map_err(|error| wrong(&format!("it is not an address ({error})")))?;
    let host = url.host_str().unwrap_or_default();
    let is_loopback = is_loopback(host);
    if url.scheme() == "https" || url.scheme() == "http" && (is_loopback || PLAIN.contains(&host)) {
        return Ok(());
    }
    Err(wrong(
        "it must be https, this machine, or the endpoint of ECS or EKS",
    ))
}

fn is_loopback(host: &str) -> bool {
    let number = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || number.is_ok_and(|number| number.is_loopback())
}

#[async_trait]
impl CredentialSource<Arc<AwsCredential>> for ContainerEndpoint {
    async fn fetch(&self) -> Result<Granted<Arc<AwsCredential>>, RequestFailure> {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = self
            .address
            .parse()
            .map_err(|error| credential_failure(format!("{}: {error}", self.variable)))?;
        if let Some(token) = self.token()? {
            let mut value: http::HeaderValue = token.parse().map_err(|_| {
                credential_failure(format!(
                    "{TOKEN} holds a character that no request can carry"
                ))
            })?;
            value.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let sent = self.client.send(&request, &Unsigned, Answer::Whole).await;
        let answer = sent.map_err(|failure| {
            refused_credential(format!("the container's endpoint: {failure}"), &failure)
        })?;
        let body = answer.into_body().bytes().await;
        let body = body.map_err(|error| credential_failure(error.to_string()))?;
        // By way of a value, since a field may come twice. The parser's error may quote a secret.
        let answered = serde_json::from_slice(&body).and_then(serde_json::from_value);
        let answered: EndpointAnswer = answered.map_err(|_| {
            credential_failure("the answer of the container's endpoint holds no credentials")
        })?;
        Ok(Granted {
            lifetime: lifetime(answered.expiration.as_ref().and_then(|end| end.as_str())),
            credential: keys(
                answered.access_key_id,
                answered.secret_access_key,
                answered.token,
            )?,
        })
    }
}

impl std::fmt::Debug for EndpointToken {
    /// Without secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Given(_) => "Given",
            Self::File(_) => "File",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::network::Network;

    #[test]
    fn a_token_is_trimmed_or_refused_at_the_start() {
        let client = Client::new(Network::default(), "");
        let find = |name: &str, value: &str| {
            let pairs = [(FULL, "https://h/x"), (name, value)];
            let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            ContainerEndpoint::find(&pairs.into_iter().collect(), &client)
        };
        let token = |name: &str, value: &str| {
            let found = find(name, value)
                .unwrap()
                .expect("the environment names it");
            found.token().unwrap()
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        std::fs::write(path, "\u{feff}Bearer t\r\n").unwrap();
        assert_eq!(token(TOKEN, " Bearer t\n").as_deref(), Some("Bearer t"));
        assert_eq!(token(TOKEN_FILE, path).as_deref(), Some("Bearer t"));
        std::fs::write(path, "Bearer t\nBearer u\n").unwrap();
        for (name, value) in [(TOKEN, "Bearer\nt"), (TOKEN_FILE, path)] {
            let said = find(name, value).unwrap_err().to_string();
            assert!(said.contains(name) && !said.contains("Bearer"), "{said}");
        }
        assert!(find(TOKEN_FILE, "/may/come/later").is_ok());
    }

    #[test]
    fn a_token_goes_to_places_of_trust_only() {
        let find = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let client = Client::new(Network::default(), "");
            ContainerEndpoint::find(&pairs.collect(), &client)
                .map(|found| found.map(|it| it.address))
        };
        for (pairs, expected) in [
            (vec![], None),
            (vec![(RELATIVE, "/v2/x")], Some("http://169.254.170.2/v2/x")),
            (
                vec![(FULL, "http://169.254.170.23/v1/credentials")],
                Some("http://169.254.170.23/v1/credentials"),
            ),
            (
                vec![(FULL, "http://[fd00:ec2::23]/v1")],
                Some("http://[fd00:ec2::23]/v1"),
            ),
            (
                vec![(FULL, "http://localhost:1/")],
                Some("http://localhost:1/"),
            ),
            (vec![(FULL, "https://h/x")], Some("https://h/x")),
            // The relative one wins, as in AWS's libraries.
            (
                vec![(RELATIVE, "/r"), (FULL, "https://h/x")],
                Some("http://169.254.170.2/r"),
            ),
        ] {
            let found = find(&pairs).unwrap();
            assert_eq!(found.as_deref(), expected, "{pairs:?}");
        }
        for pairs in [
            [(FULL, "http://169.254.169.254/x")],
            [(FULL, "http://127.example.org.evil/x")],
            [(FULL, "http://h/x")],
            [(FULL, "ftp://localhost/x")],
            [(FULL, "no address")],
            [(RELATIVE, "@evil/x")],
        ] {
            assert!(find(&pairs).is_err(), "{pairs:?}");
        }
    }
}
