//! Profiles: what `~/.aws/credentials` and `~/.aws/config` say about the one that `AWS_PROFILE` names.
//!
//! Both files are read, whatever `AWS_SDK_LOAD_CONFIG` says; a setting in `credentials` wins over the same
//! one in `config`. Sources that need a program or a person (`credential_process`, SSO, MFA) are refused
//! by name: a pod has neither. Caller: `identity`.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use object_store::aws::AwsCredential;

use super::ini::{self, Section};
use crate::config::secret::SecretForm;
use crate::store::bucket::is_header_text;
use crate::store::environment::Environment;
use crate::store::error::SettingError;
use crate::store::secret;

/// How long a role is asked for, in seconds: AWS's default.
pub(super) const SECONDS: u32 = 3600;

/// Where a profile's credentials come from.
pub(super) enum Profile {
    Keys(AwsCredential),
    /// `credential_source=Environment`.
    Variables,
    /// `credential_source=EcsContainer`.
    Container,
    /// `credential_source=Ec2InstanceMetadata`.
    Instance,
    WebIdentity {
        token_file: String,
        arn: String,
        session: Option<String>,
        region: Option<String>,
    },
    Role {
        arn: String,
        session: Option<String>,
        external_id: Option<String>,
        seconds: u32,
        region: Option<String>,
        source: Box<Profile>,
    },
}

/// The profile that applies, with its name; none if no file holds credentials.
///
/// # Errors
/// A profile that is named and missing, or that cannot be used.
pub(super) fn find(environment: &Environment) -> Result<Option<(String, Profile)>, SettingError> {
    let named = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]
        .into_iter()
        .find_map(|name| environment.get(name));
    let files = ProfileFiles::read(environment)?;
    let name = named.unwrap_or("default");
    if named.is_some() && !files.sections.contains_key(name) {
        let known: Vec<&String> = files.sections.keys().collect();
        let rule =
            format!("AWS_PROFILE={name:?}: the profile does not exist; the files hold {known:?}");
        return Err(rule.into());
    }
    let found = files.profile(name, &mut Vec::new())?;
    Ok(found.map(|profile| (name.to_owned(), profile)))
}

/// Both files, merged.
struct ProfileFiles {
    sections: BTreeMap<String, Section>,
}

impl ProfileFiles {
    fn read(environment: &Environment) -> Result<Self, SettingError> {
        let mut sections: BTreeMap<String, Section> = BTreeMap::new();
        for (variable, file) in [
            ("AWS_CONFIG_FILE", "config"),
            ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        ] {
            let named = environment.get(variable).map(PathBuf::from);
            let home = || Some(Path::new(environment.get("HOME")?).join(".aws").join(file));
            let is_named = named.is_some();
            let Some(path) = named.or_else(home) else {
                continue;
            };
            let Some(text) = content(&path, is_named.then_some(variable))? else {
                continue;
            };
            let parsed = ini::parse(&text).map_err(|rule| format!("{}, {rule}", path.display()))?;
            for (section, settings) in parsed {
                if let Some(name) = profile_name(&section, file == "config") {
                    let profile = sections.entry(name.to_owned()).or_default();
                    profile.extend(settings);
                }
            }
        }
        Ok(Self { sections })
    }

    /// A profile. `above` are the profiles that name it as their source.
    fn profile(
        &self,
        name: &str,
        above: &mut Vec<String>,
    ) -> Result<Option<Profile>, SettingError> {
        let Some(settings) = self.sections.get(name) else {
            return Ok(None);
        };
        let section = ProfileSection { name, settings };
        // A profile that names itself as its source means its own keys.
        let is_own_source = above.last().is_some_and(|last| last == name);
        if let (Some(arn), false) = (section.get("role_arn")?, is_own_source) {
            return self.role(&section, arn, above).map(Some);
        }
        if let Some(keys) = section.keys()? {
            return Ok(Some(Profile::Keys(keys)));
        }
        section.refuse()?;
        Ok(None)
    }

    fn role(
        &self,
        section: &ProfileSection<'_>,
        arn: String,
        above: &mut Vec<String>,
    ) -> Result<Profile, SettingError> {
        if above.iter().any(|other| other == section.name) {
            return Err(section.wrong("it is its own source_profile, through other profiles"));
        }
        if section.get("mfa_serial")?.is_some() {
            return Err(section
                .wrong("mfa_serial: a pod has nobody to enter a code; use a role without MFA"));
        }
        let (session, region) = (section.get("role_session_name")?, section.get("region")?);
        let sources = [
            "source_profile",
            "credential_source",
            "web_identity_token_file",
        ];
        let source = match sources.map(|name| section.get(name)) {
            [Ok(Some(source)), Ok(None), Ok(None)] => {
                above.push(section.name.to_owned());
                let found = self.profile(&source, above)?;
                above.pop();
                let rule = format!("source_profile={source}: it holds no credentials");
                found.ok_or_else(|| section.wrong(&rule))?
            }
            [Ok(None), Ok(Some(source)), Ok(None)] => {
                ambient(&source).map_err(|rule| section.wrong(&rule.to_string()))?
            }
            [Ok(None), Ok(None), Ok(Some(token_file))] => {
                return Ok(Profile::WebIdentity {
                    token_file,
                    arn,
                    session,
                    region,
                });
            }
            [Err(rule), ..] | [_, Err(rule), _] | [.., Err(rule)] => return Err(rule),
            _ => {
                let rule = format!("role_arn goes with one of {}", sources.join(", "));
                return Err(section.wrong(&rule));
            }
        };
        let seconds = section.get("duration_seconds")?;
        let seconds = seconds.map_or(Ok(SECONDS), |text| text.parse());
        Ok(Profile::Role {
            arn,
            session,
            region,
            external_id: section.get("external_id")?,
            seconds: seconds.map_err(|_| section.wrong("duration_seconds: it must be a number"))?,
            source: Box::new(source),
        })
    }
}

/// A profile's section, being read.
struct ProfileSection<'a> {
    name: &'a str,
    settings: &'a Section,
}

impl ProfileSection<'_> {
    fn wrong(&self, rule: &str) -> SettingError {
        format!("AWS profile {:?}: {rule}", self.name).into()
    }

    fn get(&self, setting: &str) -> Result<Option<String>, SettingError> {
        let value = self.settings.get(setting).filter(|value| !value.is_empty());
        match value {
            Some(value) if !is_header_text(value) => Err(self.wrong(&format!(
                "{setting} holds a character that no request can carry"
            ))),
            value => Ok(value.cloned()),
        }
    }

    fn secret(&self, setting: &str, form: SecretForm) -> Result<Option<String>, SettingError> {
        let source = format!("AWS profile {:?}: {setting}", self.name);
        let value = self.settings.get(setting);
        let clean = value.map(|value| secret::clean(&source, form, value));
        let clean = clean.transpose()?.filter(|value| !value.is_empty());
        Ok(clean.map(str::to_owned))
    }

    fn keys(&self) -> Result<Option<AwsCredential>, SettingError> {
        let id = self.secret("aws_access_key_id", SecretForm::Header)?;
        match (id, self.secret("aws_secret_access_key", SecretForm::Text)?) {
            (Some(key_id), Some(secret_key)) => Ok(Some(AwsCredential {
                key_id,
                secret_key,
                token: self.secret("aws_session_token", SecretForm::Header)?,
            })),
            (None, None) => Ok(None),
            _ => {
                Err(self
                    .wrong("aws_access_key_id and aws_secret_access_key belong together; set both"))
            }
        }
    }

    /// Refuses by name the sources that Copilot does not have.
    fn refuse(&self) -> Result<(), SettingError> {
        for name in self.settings.keys() {
            match name.as_str() {
                "credential_process" => {
                    return Err(self.wrong(
                        "credential_process is not supported: Copilot starts no program for \
                         credentials. Use a role of the pod, or write keys into the profile",
                    ));
                }
                "sso_session" | "sso_start_url" | "sso_account_id" => {
                    return Err(self.wrong(&format!(
                        "{name}: single sign-on is not supported: a pod has nobody to sign \
                         on. Use a role of the pod (web identity, Pod Identity)"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The text of a file; none if the file does not exist.
fn content(path: &Path, variable: Option<&str>) -> Result<Option<String>, SettingError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(variable) = variable {
                // Platforms name files that only some pods have.
                tracing::warn!(variable, path = %path.display(), "the file does not exist");
            }
            Ok(None)
        }
        Err(error) => Err(SettingError::file(path.display().to_string(), error)),
    }
}

/// The profile that a section describes: `config` has other sections, too.
fn profile_name(section: &str, is_config: bool) -> Option<&str> {
    if !is_config || section == "default" {
        return Some(section);
    }
    let name = section.strip_prefix("profile ")?;
    Some(name.trim_matches(['"', '\'']))
}

fn ambient(source: &str) -> Result<Profile, SettingError> {
    match source {
        "Environment" => Ok(Profile::Variables),
        "EcsContainer" => Ok(Profile::Container),
        "Ec2InstanceMetadata" => Ok(Profile::Instance),
        other => {
            let rule = "it must be Environment, EcsContainer or Ec2InstanceMetadata";
            Err(format!("credential_source={other:?}: {rule}").into())
        }
    }
}

#[cfg(test)]
mod tests;
