//! Profiles: what `~/.aws/credentials` and `~/.aws/config` say of the one that `AWS_PROFILE` names.
//!
//! Both files are read, whatever `AWS_SDK_LOAD_CONFIG` says; of a setting that is in both the one in
//! `credentials` counts. What needs a program or a person (`credential_process`, SSO, MFA) is refused
//! by name: neither is there in a pod.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use object_store::aws::AwsCredential;

use super::ini::{self, Section};
use crate::store::bucket::is_header_text;
use crate::store::environment::Environment;

/// How long a role is asked for, in seconds: AWS's own default.
const SECONDS: u32 = 3600;

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

/// The profile that applies, with its name; none if no file says who we are.
///
/// # Errors
/// A profile that is named and missing, or that cannot be used.
pub(super) fn find(environment: &Environment) -> Result<Option<(String, Profile)>, String> {
    let named = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]
        .into_iter()
        .find_map(|name| environment.get(name));
    let files = Files::read(environment)?;
    let name = named.unwrap_or("default");
    if named.is_some() && !files.sections.contains_key(name) {
        let known: Vec<&String> = files.sections.keys().collect();
        return Err(format!(
            "AWS_PROFILE={name:?}: no such profile; the files hold {known:?}"
        ));
    }
    let found = files.profile(name, &mut Vec::new())?;
    Ok(found.map(|profile| (name.to_owned(), profile)))
}

/// Both files put together.
struct Files {
    sections: BTreeMap<String, Section>,
}

impl Files {
    fn read(environment: &Environment) -> Result<Self, String> {
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

    /// What a profile says. `above` are the profiles that have it as their source.
    fn profile(&self, name: &str, above: &mut Vec<String>) -> Result<Option<Profile>, String> {
        let Some(section) = self.sections.get(name) else {
            return Ok(None);
        };
        let entry = Entry { name, section };
        // A profile that has itself as its source means its keys.
        let is_own_source = above.last().is_some_and(|last| last == name);
        if let (Some(arn), false) = (entry.get("role_arn")?, is_own_source) {
            return self.role(&entry, arn, above).map(Some);
        }
        if let Some(keys) = entry.keys()? {
            return Ok(Some(Profile::Keys(keys)));
        }
        entry.refuse()?;
        Ok(None)
    }

    fn role(
        &self,
        entry: &Entry<'_>,
        arn: String,
        above: &mut Vec<String>,
    ) -> Result<Profile, String> {
        if above.iter().any(|other| other == entry.name) {
            return Err(entry.wrong("it is its own source_profile by way of others"));
        }
        if entry.get("mfa_serial")?.is_some() {
            return Err(
                entry.wrong("mfa_serial: nobody is there to tell a code; use a role without")
            );
        }
        let (session, region) = (entry.get("role_session_name")?, entry.get("region")?);
        let sources = [
            "source_profile",
            "credential_source",
            "web_identity_token_file",
        ];
        let source = match sources.map(|name| entry.get(name)) {
            [Ok(Some(source)), Ok(None), Ok(None)] => {
                above.push(entry.name.to_owned());
                let found = self.profile(&source, above)?;
                above.pop();
                let rule = format!("source_profile={source}: it holds no credentials");
                found.ok_or_else(|| entry.wrong(&rule))?
            }
            [Ok(None), Ok(Some(source)), Ok(None)] => {
                ambient(&source).map_err(|rule| entry.wrong(&rule))?
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
                return Err(entry.wrong(&rule));
            }
        };
        let seconds = entry.get("duration_seconds")?;
        let seconds = seconds.map_or(Ok(SECONDS), |text| text.parse());
        Ok(Profile::Role {
            arn,
            session,
            region,
            external_id: entry.get("external_id")?,
            seconds: seconds.map_err(|_| entry.wrong("duration_seconds: it is a number"))?,
            source: Box::new(source),
        })
    }
}

/// A profile's section, being read.
struct Entry<'a> {
    name: &'a str,
    section: &'a Section,
}

impl Entry<'_> {
    fn wrong(&self, rule: &str) -> String {
        format!("AWS profile {:?}: {rule}", self.name)
    }

    fn get(&self, setting: &str) -> Result<Option<String>, String> {
        let value = self.section.get(setting).filter(|value| !value.is_empty());
        match value {
            Some(value) if !is_header_text(value) => Err(self.wrong(&format!(
                "{setting} holds a character that no request can carry"
            ))),
            value => Ok(value.cloned()),
        }
    }

    fn keys(&self) -> Result<Option<AwsCredential>, String> {
        let id = self.get("aws_access_key_id")?;
        match (id, self.get("aws_secret_access_key")?) {
            (Some(key_id), Some(secret_key)) => Ok(Some(AwsCredential {
                key_id,
                secret_key,
                token: self.get("aws_session_token")?,
            })),
            (None, None) => Ok(None),
            _ => {
                Err(self
                    .wrong("aws_access_key_id and aws_secret_access_key belong together; set both"))
            }
        }
    }

    /// Refuses by name what we do not do.
    fn refuse(&self) -> Result<(), String> {
        for name in self.section.keys() {
            match name.as_str() {
                "credential_process" => {
                    return Err(self.wrong(
                        "credential_process is not supported: no program is started for \
                         credentials. Use a role of the pod, or write keys into the profile",
                    ));
                }
                "sso_session" | "sso_start_url" | "sso_account_id" => {
                    return Err(self.wrong(&format!(
                        "{name}: single sign-on is not supported, for nobody is there to sign \
                         on. Use a role of the pod (web identity, Pod Identity)"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What a file holds; none if there is no such file.
fn content(path: &Path, variable: Option<&str>) -> Result<Option<String>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(variable) = variable {
                // Platforms name files that only some pods have.
                tracing::warn!(variable, path = %path.display(), "there is no such file");
            }
            Ok(None)
        }
        Err(error) => Err(format!("{}: {error}", path.display())),
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

fn ambient(source: &str) -> Result<Profile, String> {
    match source {
        "Environment" => Ok(Profile::Variables),
        "EcsContainer" => Ok(Profile::Container),
        "Ec2InstanceMetadata" => Ok(Profile::Instance),
        other => Err(format!(
            "credential_source={other:?}: it is Environment, EcsContainer or Ec2InstanceMetadata"
        )),
    }
}

#[cfg(test)]
mod tests;
