//! Which settings apply to a reference (spec §6.3, §6.6): those of the primary store, or of its scheme.
//! Caller: `stores`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::StorageSettings;
use crate::store::error::{SettingError, StoreError};
use crate::store::reference::Reference;

/// Schemes that have a store of their own; any other goes to the primary one. `http` and `https` are
/// not stores.
pub const SCHEMES: [&str; 9] = [
    "s3", "gs", "abfs", "abfss", "os", "sw", "file", "mem", "redis",
];

/// The keys of a store that the settings do not mention.
static NO_KEYS: BTreeMap<String, String> = BTreeMap::new();

/// The kinds that the settings may name (spec §6.4), including those that we refuse by name.
const KINDS: [&str; 9] = [
    "s3", "local", "google", "azure", "oracle", "swift", "b2", "sftp", "redis",
];

/// The settings that apply to a reference.
pub(super) struct StoreRoute<'a> {
    pub(super) kind: String,
    /// The keys of the store.
    pub(super) config: &'a BTreeMap<String, String>,
    /// Whether containers other than the base one may be opened.
    any_container: bool,
    /// Whether it is the primary store, the platform's.
    pub(super) primary: bool,
}

impl<'a> StoreRoute<'a> {
    /// The settings for `reference`.
    ///
    /// # Errors
    /// A primary store of no known kind.
    pub(super) fn find(
        settings: &'a StorageSettings,
        reference: &Reference,
    ) -> Result<Self, StoreError> {
        let kind = primary_kind(settings, reference)?;
        let scheme = reference.scheme();
        let is_primary = match (kind.as_str(), scheme) {
            // Its containers need neither settings nor creation, so none belongs to the platform (spec
            // §6.6 speaks of stow's kinds only).
            ("mem", scheme) if !SCHEMES.contains(&scheme) => {
                return Ok(Self {
                    kind,
                    config: &NO_KEYS,
                    any_container: true,
                    primary: false,
                });
            }
            ("s3", "s3")
            | ("local", "file")
            | ("google", "gs")
            | ("azure", "abfs" | "abfss")
            | ("oracle", "os")
            | ("swift", "sw") => true,
            (_, scheme) => settings.single_store || !SCHEMES.contains(&scheme),
        };
        if is_primary {
            return Ok(Self {
                kind,
                config: &settings.stow_config,
                any_container: settings.multicontainer,
                primary: true,
            });
        }
        let known_kind = match scheme {
            "gs" => "google",
            "abfs" | "abfss" => "azure",
            "os" => "oracle",
            "sw" => "swift",
            "file" => "local",
            other => other,
        };
        let own = settings.schemes.get(scheme);
        let kind = own
            .map(|own| own.kind.as_str())
            .filter(|kind| !kind.is_empty());
        Ok(Self {
            kind: kind.unwrap_or(known_kind).to_owned(),
            config: own.map_or(&NO_KEYS, |own| &own.config),
            any_container: true,
            primary: false,
        })
    }

    /// Container and key of `reference`, and its second key, if it has one.
    ///
    /// # Errors
    /// A path that is not beneath the local store.
    pub(super) fn split(
        &self,
        reference: &Reference,
    ) -> Result<(String, String, Option<String>), StoreError> {
        if self.kind != "local" {
            let second = reference.url_key().map(str::to_owned);
            let (container, key) = (reference.container(), reference.key());
            return Ok((container.to_owned(), key.to_owned(), second));
        }
        let second = reference
            .url_key()
            .and_then(|key| self.split_file(reference, key).ok());
        match (self.split_file(reference, reference.key()), second) {
            (Ok((container, key)), second) => {
                let second = second.filter(|(other, found)| *other == container && *found != key);
                Ok((container, key, second.map(|(_, key)| key)))
            }
            (Err(_), Some((container, key))) => Ok((container, key, None)),
            (Err(error), None) => Err(error),
        }
    }

    /// Refuses a container that may not be opened.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(super) fn check_container(
        &self,
        settings: &StorageSettings,
        reference: &Reference,
        container: &str,
    ) -> Result<(), StoreError> {
        let base = settings.container.as_str();
        if self.primary && base.is_empty() {
            return Err(setting(
                reference,
                "storage.container is empty; it is required, even with enable-multicontainer",
                "Set it to the platform's bucket",
            ));
        }
        if container.is_empty() {
            return Err(setting(
                reference,
                "the reference names no container",
                "Write it as SCHEME://CONTAINER/KEY",
            ));
        }
        if !self.any_container && container != base {
            return Err(setting(
                reference,
                format!("container {container:?} is not the configured {base:?}"),
                "Set storage.enable-multicontainer to open other containers",
            ));
        }
        Ok(())
    }

    /// Container and key of a reference to the local kind: `file://CONTAINER/KEY`, or an absolute
    /// path beneath the configured one. Several slashes mean one, as in every path of a file system.
    fn split_file(&self, reference: &Reference, key: &str) -> Result<(String, String), StoreError> {
        let parts: Vec<&str> = key.split('/').filter(|part| !part.is_empty()).collect();
        let key = parts.join("/");
        if !reference.container().is_empty() {
            return Ok((reference.container().to_owned(), key));
        }
        let root = self.local_root(reference)?;
        let absolute = Path::new("/").join(key);
        let inside = absolute.strip_prefix(&root).ok().and_then(Path::to_str);
        let inside = inside.ok_or_else(|| {
            setting(
                reference,
                format!(
                    "the path is not beneath {}, the local store",
                    root.display()
                ),
                "Name an object of the store as file://CONTAINER/KEY",
            )
        })?;
        let (container, key) = inside.split_once('/').unwrap_or((inside, ""));
        Ok((container.to_owned(), key.to_owned()))
    }

    /// The directory of a local store.
    pub(super) fn local_root(&self, reference: &Reference) -> Result<PathBuf, StoreError> {
        let path = self.config.get("path").filter(|path| !path.is_empty());
        let remedy = if self.primary {
            "Set path in storage.stow.config"
        } else {
            "Beside another store, set storage.schemes.file.config.path in a file of --config (no flag sets it); if \
             results go to a directory, too, pass --storage.type=local, --storage.container=NAME and \
             --storage.stow.config=path=DIRECTORY"
        };
        let path =
            path.ok_or_else(|| setting(reference, "no path is set for the local store", remedy))?;
        std::path::absolute(path).map_err(|error| {
            let rule = SettingError::file(format!("path={path}"), error);
            setting(reference, rule, remedy)
        })
    }

    /// What to do about a setting that cannot be used.
    pub(super) fn remedy(&self) -> &'static str {
        if self.primary {
            "Correct it in storage.stow.config"
        } else {
            "Correct it in storage.schemes, the entry of this scheme"
        }
    }
}

fn primary_kind(settings: &StorageSettings, reference: &Reference) -> Result<String, StoreError> {
    match settings.store_type.as_str() {
        "" | "stow" | "s3" | "minio" | "local" if !settings.stow_kind.is_empty() => {
            let kind = settings.stow_kind.as_str();
            // Also where the scheme leads to another store: a misspelt kind must not replace the
            // intended store by one with ambient credentials.
            if !KINDS.contains(&kind) {
                return Err(setting(
                    reference,
                    format!("storage.stow.kind has the unknown value [{kind}]"),
                    "Set it to s3, google, azure or local",
                ));
            }
            Ok(kind.to_owned())
        }
        "s3" | "minio" => Ok("s3".to_owned()),
        "local" => Ok("local".to_owned()),
        "" | "stow" => Err(setting(
            reference,
            "storage.stow.kind is empty",
            "Set it to s3, google, azure or local",
        )),
        known @ ("mem" | "redis") => Ok(known.to_owned()),
        other => Err(setting(
            reference,
            format!("storage.type has the invalid value [{other}]"),
            "Set it to stow, s3, minio, local or mem",
        )),
    }
}

/// The error of settings that do not describe a usable store.
pub(super) fn setting(
    reference: &Reference,
    rule: impl Into<SettingError>,
    remedy: &str,
) -> StoreError {
    StoreError::Setting {
        object: reference.shown(),
        rule: rule.into(),
        remedy: remedy.to_owned(),
    }
}
