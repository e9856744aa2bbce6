//! The AWS identity of the pod, where the settings hold no keys (`auth_type=iam`): the sources of the SDK
//! that the reference uses, in its order (spec §6.5): variables, web identity, profile files (`profile`,
//! `ini`), the container's endpoint (`container`), the instance. STS grants a role on top of any of
//! them (`role`).
//!
//! The instance is the library's. Never here: signing, and keeping credentials, which
//! `store::credentials` does. Caller: `s3::access`.

mod container;
#[cfg(any(test, feature = "fuzzing"))]
pub(in crate::store) mod fuzz;
mod ini;
mod profile;
mod role;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};

use self::container::ContainerEndpoint;
use self::profile::Profile;
use self::role::{Asker, Role};
use crate::config::secret::SecretForm;
use crate::store::bucket::{endpoint, is_header_text, no_retries};
use crate::store::credentials::{
    CredentialCache, CredentialSource, Fixed, FromLibrary, Lifetime, credential_failure,
};
use crate::store::environment::Environment;
use crate::store::error::SettingError;
use crate::store::http::{Client, RequestFailure, Service, Unsigned};
use crate::store::secret;

/// Whose credentials they are, for the log.
pub(super) const NAME: &str = "AWS";

/// They are renewed this long before their end.
pub(super) const MARGIN: Duration = Duration::from_mins(5);

/// The name of a role's session, if nobody chose one.
const SESSION: &str = "copilot";

/// A source of AWS credentials.
type AwsSource = Arc<dyn CredentialSource<Arc<AwsCredential>>>;

/// What all sources need to know.
struct Chain<'a> {
    environment: &'a Environment,
    /// Region of the store.
    region: &'a str,
    client: &'a Client,
}

/// The first source that the pod has. Files are read, but no service is asked yet.
///
/// # Errors
/// A source that the pod has and that cannot be used, or no source at all.
pub(super) fn ambient(
    environment: &Environment,
    region: &str,
    client: &Client,
) -> Result<AwsSource, SettingError> {
    let chain = Chain {
        environment,
        region,
        client,
    };
    if let Some(keys) = chain.variables()? {
        chosen("AWS_ACCESS_KEY_ID");
        return Ok(keys);
    }
    let variable = |name| environment.get(name).map(str::to_owned);
    if let Some(token_file) = variable("AWS_WEB_IDENTITY_TOKEN_FILE") {
        let arn = variable("AWS_ROLE_ARN")
            .ok_or("AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN; set both")?;
        chosen("AWS_WEB_IDENTITY_TOKEN_FILE");
        return chain.web_identity(&token_file, &arn, None, None);
    }
    if let Some((name, profile)) = profile::find(environment)? {
        chosen(&format!("profile {name:?}"));
        return chain.profile(profile);
    }
    if let Some(container) = chain.container()? {
        return Ok(container);
    }
    chosen("the instance's metadata service");
    chain.instance()
}

/// Names the source for the log.
pub(super) fn chosen(source: &str) {
    tracing::info!(source, "AWS credentials");
}

impl Chain<'_> {
    /// The secret in a variable; an empty one counts as absent.
    fn secret(&self, name: &str, form: SecretForm) -> Result<Option<&str>, SettingError> {
        let value = self.environment.get(name);
        let clean = value.map(|value| secret::clean(name, form, value));
        Ok(clean.transpose()?.filter(|value| !value.is_empty()))
    }

    /// Keys in the environment; the older names count, too.
    fn variables(&self) -> Result<Option<AwsSource>, SettingError> {
        let either = |name, older, form| {
            let newer = self.secret(name, form)?;
            Ok::<_, SettingError>(newer.or(self.secret(older, form)?))
        };
        let id = either("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", SecretForm::Header)?;
        let secret = either("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", SecretForm::Text)?;
        match (id, secret) {
            (Some(id), Some(secret)) => Ok(Some(fixed(AwsCredential {
                key_id: id.to_owned(),
                secret_key: secret.to_owned(),
                token: self
                    .secret("AWS_SESSION_TOKEN", SecretForm::Header)?
                    .map(str::to_owned),
            }))),
            (None, None) => Ok(None),
            (Some(_), None) => {
                Err("AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY; set both".into())
            }
            (None, Some(_)) => {
                Err("AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID; set both".into())
            }
        }
    }

    fn profile(&self, profile: Profile) -> Result<AwsSource, SettingError> {
        match profile {
            Profile::Keys(keys) => Ok(fixed(keys)),
            Profile::Variables => self.variables()?.ok_or_else(|| {
                "credential_source=Environment, but AWS_ACCESS_KEY_ID is not set".into()
            }),
            Profile::Container => self.container()?.ok_or_else(|| {
                "credential_source=EcsContainer, but AWS_CONTAINER_CREDENTIALS_… is not set".into()
            }),
            Profile::Instance => self.instance(),
            Profile::WebIdentity {
                token_file,
                arn,
                session,
                region,
            } => self.web_identity(&token_file, &arn, session, region),
            Profile::Role {
                arn,
                session,
                external_id,
                seconds,
                region,
                source,
            } => {
                let region = self.sts_region(region)?;
                let role = Role {
                    asker: Asker::Identity(CredentialCache::from_source(
                        NAME,
                        MARGIN,
                        self.profile(*source)?,
                    )),
                    arn,
                    session: self.session(session),
                    external_id,
                    seconds,
                    endpoint: self.sts(&region)?,
                    region,
                    client: self.client.clone(),
                };
                Ok(Arc::new(role))
            }
        }
    }

    fn session(&self, named: Option<String>) -> String {
        let of_pod = self.environment.get("AWS_ROLE_SESSION_NAME");
        named.unwrap_or_else(|| of_pod.unwrap_or(SESSION).to_owned())
    }

    /// The pod's region, since a service near it can be reached; the store's may be far away.
    fn sts_region(&self, named: Option<String>) -> Result<String, SettingError> {
        let of_pod = ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .into_iter()
            .find_map(|name| self.environment.get(name));
        let region = of_pod.map(str::to_owned).or(named);
        let region = region.unwrap_or_else(|| self.region.to_owned());
        if region
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-')
        {
            return Ok(region);
        }
        let rule = format!(
            "AWS_REGION or a profile's region is {region:?}: it may hold letters, digits and `-` only"
        );
        Err(rule.into())
    }

    /// The address of STS, which grants roles.
    fn sts(&self, region: &str) -> Result<String, SettingError> {
        if let Some(named) = self.environment.get("AWS_ENDPOINT_URL_STS") {
            return endpoint(named, false).map_err(|rule| rule.within("AWS_ENDPOINT_URL_STS"));
        }
        let partition = if region.starts_with("cn-") { ".cn" } else { "" };
        Ok(format!("https://sts.{region}.amazonaws.com{partition}"))
    }

    /// A role for a token of the platform's. A file that holds more than a token is refused at the start; one
    /// that is not there may come.
    fn web_identity(
        &self,
        token_file: &str,
        arn: &str,
        session: Option<String>,
        region: Option<String>,
    ) -> Result<AwsSource, SettingError> {
        if Path::new(token_file).exists() {
            role::token(token_file)?;
        }
        let region = self.sts_region(region)?;
        Ok(Arc::new(Role {
            asker: Asker::TokenFile(token_file.to_owned()),
            arn: arn.to_owned(),
            session: self.session(session),
            external_id: None,
            seconds: profile::SECONDS,
            endpoint: self.sts(&region)?,
            region,
            client: self.client.clone(),
        }))
    }

    fn container(&self) -> Result<Option<AwsSource>, SettingError> {
        let Some(endpoint) = ContainerEndpoint::find(self.environment, self.client)? else {
            return Ok(None);
        };
        chosen(endpoint.variable());
        Ok(Some(Arc::new(endpoint)))
    }

    fn instance(&self) -> Result<AwsSource, SettingError> {
        let disabled = self.environment.get("AWS_EC2_METADATA_DISABLED");
        if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err(
                "auth_type=iam: no credentials in the environment (AWS_ACCESS_KEY_ID, \
                 AWS_WEB_IDENTITY_TOKEN_FILE, AWS_PROFILE, AWS_CONTAINER_CREDENTIALS_…) nor in \
                 profile files, and AWS_EC2_METADATA_DISABLED rules out the instance's"
                    .into(),
            );
        }
        let mode = self
            .environment
            .get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
        let address = match self.environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
            Some(named) => endpoint(named, true)
                .map_err(|rule| rule.within("AWS_EC2_METADATA_SERVICE_ENDPOINT"))?,
            None if mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6")) => {
                "http://[fd00:ec2::254]".to_owned()
            }
            None => "http://169.254.169.254".to_owned(),
        };
        let key = AmazonS3ConfigKey::MetadataEndpoint;
        library_source(self.library().with_config(key, address))
    }

    /// The library as a source of credentials.
    fn library(&self) -> AmazonS3Builder {
        AmazonS3Builder::new()
            .with_bucket_name("credentials-only")
            .with_region(self.region)
            .with_retry(no_retries())
            .with_http_connector(Service::new(self.client.clone(), Arc::new(Unsigned)))
    }
}

fn library_source(builder: AmazonS3Builder) -> Result<AwsSource, SettingError> {
    let store = builder.build()?;
    Ok(Arc::new(FromLibrary(Arc::clone(store.credentials()))))
}

/// Credentials that stay as they are.
fn fixed(keys: AwsCredential) -> AwsSource {
    Arc::new(Fixed(Arc::new(keys)))
}

/// Keys and token that a service gave, fit for requests.
fn keys(
    key_id: String,
    secret_key: String,
    token: Option<String>,
) -> Result<Arc<AwsCredential>, RequestFailure> {
    let token = token.filter(|token| !token.is_empty());
    if !is_header_text(&key_id) || token.as_deref().is_some_and(|token| !is_header_text(token)) {
        return Err(credential_failure(
            "they hold a character that no request can carry",
        ));
    }
    Ok(Arc::new(AwsCredential {
        key_id,
        secret_key,
        token,
    }))
}

/// How long credentials live whose end is given by RFC 3339. An end that is missing or no date is not
/// needed: when a store refuses the credentials, there are new ones.
fn lifetime(end: Option<&str>) -> Lifetime {
    let Some(text) = end.filter(|text| !text.trim().is_empty()) else {
        return Lifetime::Endless;
    };
    let Ok(moment) = DateTime::parse_from_rfc3339(text.trim()) else {
        tracing::warn!(
            end = %text.chars().take(40).collect::<String>().escape_default(),
            "the end of AWS credentials is not a date and time: they are used until a store refuses them"
        );
        return Lifetime::Endless;
    };
    Lifetime::Until(SystemTime::from(moment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_dates_and_times() {
        for text in ["2030-01-02T03:04:05Z", "2030-01-02T03:04:05.5+02:00"] {
            let found = lifetime(Some(text));
            assert!(matches!(found, Lifetime::Until(_)), "{text}");
        }
        for text in [None, Some(""), Some("soon")] {
            assert_eq!(lifetime(text), Lifetime::Endless, "{text:?}");
        }
    }
}
