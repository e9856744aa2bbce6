//! Who we are to AWS where the settings hold no keys (`auth_type=iam`): the sources of the SDK that the
//! reference uses, in its order (spec §6.5): variables, web identity, profile files (`profile`,
//! `ini`), the container's endpoint (`container`), the instance's. A role on top of any is taken on
//! at STS (`role`); what ends is renewed before it does (`temporary`).
//!
//! Web identity and the instance are the library's. Never here: signing. Caller: `s3::access`.

mod container;
mod ini;
mod profile;
mod role;
mod temporary;

use std::sync::Arc;

use object_store::StaticCredentialProvider;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential, AwsCredentialProvider};

use self::profile::Profile;
use self::role::Role;
use self::temporary::Temporary;
use crate::store::bucket::{endpoint, is_header_text, no_retries};
use crate::store::environment::Environment;
use crate::store::http::{Client, Service, Unsigned};

/// Who asks for a role, where nobody says.
const SESSION: &str = "copilot";

/// What all sources need to know.
struct Chain<'a> {
    environment: &'a Environment,
    /// Region of the store.
    region: &'a str,
    client: &'a Client,
}

/// The first source that is there. Files are read, but nobody is asked yet.
///
/// # Errors
/// A source that is there and cannot be used, or none at all.
pub(super) fn ambient(
    environment: &Environment,
    region: &str,
    client: &Client,
) -> Result<AwsCredentialProvider, String> {
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
        return chain.of_profile(profile);
    }
    if let Some(container) = chain.container()? {
        return Ok(container);
    }
    chosen("the instance's metadata service");
    chain.instance()
}

/// Names the source for the log.
fn chosen(source: &str) {
    tracing::info!(source, "AWS credentials");
}

impl Chain<'_> {
    fn get(&self, name: &str) -> Result<Option<&str>, String> {
        let value = self.environment.get(name);
        if value.is_some_and(|value| !is_header_text(value)) {
            return Err(format!(
                "{name} holds a character that no request can carry"
            ));
        }
        Ok(value)
    }

    /// Keys in the environment, the older names included.
    fn variables(&self) -> Result<Option<AwsCredentialProvider>, String> {
        let either = |name, older| Ok::<_, String>(self.get(name)?.or(self.get(older)?));
        let id = either("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")?;
        let secret = either("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")?;
        match (id, secret) {
            (Some(id), Some(secret)) => Ok(Some(fixed(AwsCredential {
                key_id: id.to_owned(),
                secret_key: secret.to_owned(),
                token: self.get("AWS_SESSION_TOKEN")?.map(str::to_owned),
            }))),
            (None, None) => Ok(None),
            (Some(_), None) => {
                Err("AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY; set both".to_owned())
            }
            (None, Some(_)) => {
                Err("AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID; set both".to_owned())
            }
        }
    }

    fn of_profile(&self, profile: Profile) -> Result<AwsCredentialProvider, String> {
        match profile {
            Profile::Keys(keys) => Ok(fixed(keys)),
            Profile::Variables => self.variables()?.ok_or_else(|| {
                "credential_source=Environment, but AWS_ACCESS_KEY_ID is not set".to_owned()
            }),
            Profile::Container => self.container()?.ok_or_else(|| {
                "credential_source=EcsContainer, but AWS_CONTAINER_CREDENTIALS_… is not set"
                    .to_owned()
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
                    source: self.of_profile(*source)?,
                    arn,
                    session: self.session(session),
                    external_id,
                    seconds,
                    endpoint: self.sts(&region)?,
                    region,
                    client: self.client.clone(),
                };
                Ok(Temporary::provider(role))
            }
        }
    }

    fn session(&self, named: Option<String>) -> String {
        let of_pod = self.environment.get("AWS_ROLE_SESSION_NAME");
        named.unwrap_or_else(|| of_pod.unwrap_or(SESSION).to_owned())
    }

    /// The pod's region: a service near it can be reached, and the store's may be far away.
    fn sts_region(&self, named: Option<String>) -> Result<String, String> {
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
        Err(format!(
            "AWS_REGION or a profile's region is {region:?}: it holds letters, digits and `-` only"
        ))
    }

    /// Where roles are given.
    fn sts(&self, region: &str) -> Result<String, String> {
        if let Some(named) = self.environment.get("AWS_ENDPOINT_URL_STS") {
            return endpoint(named, false).map_err(|rule| format!("AWS_ENDPOINT_URL_STS: {rule}"));
        }
        let partition = if region.starts_with("cn-") { ".cn" } else { "" };
        Ok(format!("https://sts.{region}.amazonaws.com{partition}"))
    }

    /// The library reads the token file anew each time, for it is renewed, too.
    fn web_identity(
        &self,
        token_file: &str,
        arn: &str,
        session: Option<String>,
        region: Option<String>,
    ) -> Result<AwsCredentialProvider, String> {
        use AmazonS3ConfigKey as Key;
        let builder = self
            .library()
            .with_config(Key::WebIdentityTokenFile, token_file)
            .with_config(Key::RoleArn, arn)
            .with_config(Key::RoleSessionName, self.session(session))
            .with_config(Key::StsEndpoint, self.sts(&self.sts_region(region)?)?);
        provider(builder)
    }

    fn container(&self) -> Result<Option<AwsCredentialProvider>, String> {
        let Some(container) = container::Container::find(self.environment, self.client)? else {
            return Ok(None);
        };
        chosen(container.source());
        Ok(Some(Temporary::provider(container)))
    }

    fn instance(&self) -> Result<AwsCredentialProvider, String> {
        let disabled = self.environment.get("AWS_EC2_METADATA_DISABLED");
        if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err(
                "auth_type=iam: no credentials in the environment (AWS_ACCESS_KEY_ID, \
                 AWS_WEB_IDENTITY_TOKEN_FILE, AWS_PROFILE, AWS_CONTAINER_CREDENTIALS_…) nor in \
                 profile files, and AWS_EC2_METADATA_DISABLED rules out the instance's"
                    .to_owned(),
            );
        }
        let mode = self
            .environment
            .get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
        let address = match self.environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
            Some(named) => endpoint(named, true)
                .map_err(|rule| format!("AWS_EC2_METADATA_SERVICE_ENDPOINT: {rule}"))?,
            None if mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6")) => {
                "http://[fd00:ec2::254]".to_owned()
            }
            None => "http://169.254.169.254".to_owned(),
        };
        let key = AmazonS3ConfigKey::MetadataEndpoint;
        provider(self.library().with_config(key, address))
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

fn provider(builder: AmazonS3Builder) -> Result<AwsCredentialProvider, String> {
    let store = builder.build().map_err(|error| error.to_string())?;
    Ok(Arc::clone(store.credentials()))
}

/// Credentials that stay as they are.
pub(super) fn fixed(keys: AwsCredential) -> AwsCredentialProvider {
    Arc::new(StaticCredentialProvider::new(keys))
}
