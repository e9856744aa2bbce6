//! One value for each setting, from its strongest source, and the typed sections. A map comes whole from
//! one source (spec §1.7): a backend's keys in flags replace those in files, as in the reference, so two
//! half descriptions of a store never mix.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use super::environment;
use super::error::{ConfigError, Warning};
use super::extract::FileLayer;
use super::key::{KEYS, Key};
use super::layer::SettingValue;
use super::logger::{self, LogFormat, LogLevel, LoggerSettings};
use super::secret::{SecretForm, SecretPairs, known};
use super::settings::{SettingSources, Settings};
use super::shown::shown;
use super::source::SettingSource;
use super::storage::{HttpSettings, S3Settings, SchemeSettings, StorageSettings};
use super::syntax::{SyntaxError, relaxed_boolean};

/// The value and source of each setting that has one.
pub(super) struct Resolution {
    values: BTreeMap<&'static str, SettingValue>,
    sources: BTreeMap<String, SettingSource>,
    warnings: Vec<Warning>,
    shown: BTreeMap<String, String>,
}

impl Resolution {
    /// Asks flags, environment, files and defaults, in this order, for each setting.
    pub(super) fn new(
        sources: &SettingSources<'_>,
        mut files: FileLayer,
    ) -> Result<Self, ConfigError> {
        let mut resolution = Self {
            values: BTreeMap::new(),
            sources: BTreeMap::new(),
            warnings: std::mem::take(&mut files.warnings),
            shown: BTreeMap::new(),
        };
        for key in KEYS {
            let found = if let Some(value) = sources.flags.get(key.name) {
                Some((value.clone(), SettingSource::Flag))
            } else if let Some(found) = environment::read(sources.environment, key)? {
                Some(found)
            } else if let Some(value) = files.values.remove(key.name) {
                let origin = files
                    .origins
                    .remove(key.name)
                    .unwrap_or(SettingSource::Default);
                Some((value, origin))
            } else {
                from_default(key)?
            };
            if let Some((value, source)) = found {
                resolution.take(key, value, source, &mut files.origins);
            }
        }
        Ok(resolution)
    }

    fn take(
        &mut self,
        key: &'static Key,
        value: SettingValue,
        source: SettingSource,
        origins: &mut BTreeMap<String, SettingSource>,
    ) {
        if let SettingValue::Pairs(pairs) = &value {
            for entry in pairs.keys() {
                let name = format!("{}.{entry}", key.name);
                // Only files keep an origin of each entry.
                let own = origins
                    .remove(&name)
                    .filter(|_| matches!(source, SettingSource::File { .. }));
                self.sources
                    .insert(name, own.unwrap_or_else(|| source.clone()));
            }
        }
        // The command line reports its own flags without effect, in one list.
        if !key.effect && source != SettingSource::Flag {
            self.warnings.push(Warning::WithoutEffect {
                key: key.name,
                origin: source.clone(),
            });
        }
        if key.effect {
            self.shown.extend(shown(key, &value));
        }
        self.sources.insert(key.name.to_owned(), source);
        self.values.insert(key.name, value);
    }

    /// The typed sections.
    pub(super) fn settings(mut self, files: Vec<PathBuf>) -> Result<Settings, ConfigError> {
        let logger = self.logger()?;
        let storage = self.storage()?;
        Ok(Settings {
            storage,
            logger,
            warnings: self.warnings,
            files,
            sources: self.sources,
            shown: self.shown,
        })
    }

    fn logger(&mut self) -> Result<LoggerSettings, ConfigError> {
        let number = self.integer("logger.level");
        let level = LogLevel::from_number(number).ok_or_else(|| {
            self.wrong(
                "logger.level",
                "a level is a number from 0 (panic) to 5 (debug)",
            )
        })?;
        if number > logger::MOST {
            let origin = self.sources.get("logger.level").cloned();
            self.warnings.push(Warning::LevelTooHigh {
                number,
                origin: origin.unwrap_or(SettingSource::Default),
            });
        }
        let format =
            LogFormat::from_name(&self.text("logger.formatter.type")).ok_or_else(|| {
                self.wrong(
                    "logger.formatter.type",
                    "the format must be auto, text, json or gcp",
                )
            })?;
        Ok(LoggerSettings {
            level,
            format,
            mute: self.boolean("logger.mute"),
            show_source: self.boolean("logger.show-source"),
        })
    }

    fn storage(&mut self) -> Result<StorageSettings, ConfigError> {
        let limit = "storage.limits.maxDownloadMBs";
        let max_download_mib = u64::try_from(self.integer(limit))
            .map_err(|_| self.wrong(limit, "a size is a number of MiB: 0 (no limit) or more"))?;
        let (stow_kind, stow_config) = self.backend()?;
        let mut schemes = match self.values.remove("storage.schemes") {
            Some(SettingValue::Schemes(schemes)) => schemes,
            _ => BTreeMap::new(),
        };
        for (scheme, settings) in &mut schemes {
            self.canonical_scheme(scheme, settings)?;
            let section = format!("storage.schemes.{scheme}.config");
            self.clean_secrets(&section, &mut settings.config)?;
        }
        Ok(StorageSettings {
            store_type: self.text("storage.type"),
            stow_kind,
            stow_config,
            container: self.text("storage.container"),
            multicontainer: self.boolean("storage.enable-multicontainer"),
            single_store: self.boolean("storage.single-store"),
            max_download_mib,
            schemes,
            http: HttpSettings {
                headers: self.pairs("storage.defaultHttpClient.headers"),
                ca_file: self.text("storage.defaultHttpClient.caFile"),
            },
            s3: S3Settings {
                sign_payload: self.choice("storage.s3.sign-payload")?,
                upload_checksum: self.choice("storage.s3.upload-checksum")?,
            },
        })
    }

    /// The primary backend's kind and keys. Without `storage.stow.config`, the older
    /// `storage.connection` describes it (spec §6.4).
    fn backend(&mut self) -> Result<(String, SecretPairs), ConfigError> {
        const CONFIG: &str = "storage.stow.config";
        let is_connection = |name: &&str| name.starts_with("storage.connection.");
        let has_connection = self.values.keys().any(is_connection);
        if has_connection && self.sources.get(CONFIG) == Some(&SettingSource::Default) {
            // The default is replaced, and its entries with it.
            self.sources.retain(|name, _| !name.starts_with(CONFIG));
            return Ok(("s3".to_owned(), self.connection()?.into()));
        }
        if has_connection {
            self.warnings.push(Warning::ConnectionIgnored);
        }
        let mut config = self.pairs(CONFIG);
        canonical(&mut config).map_err(|(entry, rule)| {
            let name = format!("{CONFIG}.{entry}");
            let origin = self.sources.get(&name).cloned();
            value_error(name, origin, rule)
        })?;
        self.clean_secrets(CONFIG, &mut config)?;
        Ok((self.kind(), config))
    }

    /// `storage.stow.kind`. With `storage.type=local` alone it is `local`.
    fn kind(&self) -> String {
        let is_default = self.sources.get("storage.stow.kind") == Some(&SettingSource::Default);
        match self.text("storage.type") {
            local if local == "local" && is_default => local,
            _ => self.text("storage.stow.kind"),
        }
    }

    /// Takes the white space off the ends of a backend's secrets.
    fn clean_secrets(
        &mut self,
        section: &str,
        config: &mut BTreeMap<String, String>,
    ) -> Result<(), ConfigError> {
        for (key, value) in config {
            if let Some(form) = SecretForm::of_key(key) {
                *value = self.clean(&format!("{section}.{key}"), form, value)?;
                if !matches!(key.as_str(), "account" | "access_key_id") {
                    known::remember(value);
                }
            }
        }
        Ok(())
    }

    /// A secret without white space around it; warns if there was any.
    fn clean(&mut self, name: &str, form: SecretForm, value: &str) -> Result<String, ConfigError> {
        // Only the entries of some maps have a source of their own.
        let outer = || {
            name.starts_with("storage.schemes.")
                .then_some("storage.schemes")
        };
        let origin = self.sources.get(name);
        let origin = origin.or_else(|| self.sources.get(outer()?)).cloned();
        let clean = form
            .clean(value)
            .map_err(|rule| value_error(name.to_owned(), origin.clone(), rule))?;
        if clean.is_trimmed {
            self.warnings.push(Warning::Trimmed {
                key: name.to_owned(),
                origin: origin.unwrap_or(SettingSource::Default),
            });
        }
        Ok(clean.text.to_owned())
    }

    /// The backend's keys from `storage.connection`, with its defaults. Only a setting with a value
    /// becomes a key, because the presence of a key such as `endpoint` has a meaning.
    fn connection(&mut self) -> Result<BTreeMap<String, String>, ConfigError> {
        let mut config = BTreeMap::from([
            ("auth_type".to_owned(), "iam".to_owned()),
            ("region".to_owned(), "us-east-1".to_owned()),
        ]);
        for (old, new) in [
            ("storage.connection.endpoint", "endpoint"),
            ("storage.connection.auth-type", "auth_type"),
            ("storage.connection.access-key", "access_key_id"),
            ("storage.connection.secret-key", "secret_key"),
            ("storage.connection.region", "region"),
        ] {
            let mut text = self.text(old);
            if let Some(form) = SecretForm::of_key(new) {
                text = self.clean(old, form, &text)?;
            }
            if !text.is_empty() {
                config.insert(new.to_owned(), text);
            }
        }
        if self.boolean("storage.connection.disable-ssl") {
            config.insert("disable_ssl".to_owned(), "true".to_owned());
        }
        Ok(config)
    }

    fn canonical_scheme(
        &self,
        scheme: &str,
        settings: &mut SchemeSettings,
    ) -> Result<(), ConfigError> {
        canonical(&mut settings.config).map_err(|(entry, rule)| {
            let origin = self.sources.get("storage.schemes").cloned();
            value_error(
                format!("storage.schemes.{scheme}.config.{entry}"),
                origin,
                rule,
            )
        })
    }

    fn text(&self, name: &str) -> String {
        match self.values.get(name) {
            Some(SettingValue::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    /// One of a few words.
    fn choice<T: FromStr<Err = SyntaxError>>(&self, name: &str) -> Result<T, ConfigError> {
        let origin = || self.sources.get(name).cloned();
        let word = self.text(name).parse();
        word.map_err(|rule| value_error(name.to_owned(), origin(), rule))
    }

    fn boolean(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(SettingValue::Boolean(true)))
    }

    fn integer(&self, name: &str) -> i64 {
        match self.values.get(name) {
            Some(SettingValue::Integer(number)) => *number,
            _ => 0,
        }
    }

    fn pairs(&mut self, name: &str) -> SecretPairs {
        match self.values.remove(name) {
            Some(SettingValue::Pairs(pairs)) => pairs,
            _ => SecretPairs::default(),
        }
    }

    fn wrong(&self, name: &str, rule: &str) -> ConfigError {
        let origin = self.sources.get(name).cloned();
        value_error(name.to_owned(), origin, SyntaxError::new(rule))
    }
}

fn value_error(key: String, origin: Option<SettingSource>, rule: SyntaxError) -> ConfigError {
    ConfigError::Value {
        key,
        origin: origin.unwrap_or(SettingSource::Default),
        rule,
    }
}

fn from_default(key: &Key) -> Result<Option<(SettingValue, SettingSource)>, ConfigError> {
    key.default
        .map(|text| {
            let value = SettingValue::read(key.kind, text);
            value.map(|value| (value, SettingSource::Default))
        })
        .transpose()
        .map_err(|rule| value_error(key.name.to_owned(), None, rule))
}

/// Other names of a backend's keys. The Azure names come from the platform's chart; the reference ignores
/// them (spec §8.42).
const ALIASES: &[(&str, &str)] = &[
    ("configdomainsuffix", "domain_suffix"),
    ("configuploadconcurrency", "upload_concurrency"),
];

/// Keys of a backend that are booleans (spec §6.4).
const BOOLEANS: &[&str] = &["disable_ssl", "use_https", "v2_signing"];

/// Gives each key of a backend one name and one spelling. An alias becomes its proper name, unless that
/// is set too; booleans become `true` or `false`.
fn canonical(config: &mut BTreeMap<String, String>) -> Result<(), (&'static str, SyntaxError)> {
    for (alias, name) in ALIASES {
        if let Some(value) = config.remove(*alias) {
            config.entry((*name).to_owned()).or_insert(value);
        }
    }
    for name in BOOLEANS {
        if let Some(value) = config.get_mut(*name) {
            let truth =
                !value.is_empty() && relaxed_boolean(value).map_err(|rule| (*name, rule))?;
            *value = truth.to_string();
        }
    }
    Ok(())
}
