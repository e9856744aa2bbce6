//! From a reference to its store (spec §6.3, §6.6): by scheme, opened on first use, kept.
//!
//! Here the settings choose the backend, and here they are checked. Never here: what a backend does.
//! Callers: `command`, which makes [`Stores`] from the settings, and `transfer`, which opens objects.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::azure;
use super::backend::{Backend, Target};
use super::bucket::Bucket;
use super::directory::LocalDirectory;
use super::environment::Environment;
use super::error::{SettingError, StoreError};
use super::google;
use super::http::Client;
use super::memory::InMemory;
use super::network::Network;
use super::object::Object;
use super::reference::Reference;
use super::s3;
use super::web::Web;
use crate::config::StorageSettings;

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

/// What to do about a file of certificate authorities that cannot be used.
const AUTHORITIES: &str =
    "Correct it, or its name in storage.defaultHttpClient.caFile or AWS_CA_BUNDLE";

/// What identifies an open store: scheme, account if the reference names one, container.
type Slot = (String, Option<String>, String);

/// All stores that a run may touch.
#[derive(Debug)]
pub struct Stores {
    settings: StorageSettings,
    environment: Environment,
    client: Client,
    opened: Mutex<HashMap<Slot, Arc<dyn Backend>>>,
}

/// The settings that apply to a reference.
struct StoreRoute<'a> {
    kind: String,
    config: &'a BTreeMap<String, String>,
    /// Whether containers other than the base one may be opened.
    any_container: bool,
    primary: bool,
}

impl Stores {
    /// Stores as the settings describe them. Nothing is opened, read or checked yet: a store that a run
    /// does not touch cannot fail it.
    #[must_use]
    pub fn new(settings: StorageSettings, network: Network, environment: Environment) -> Self {
        let named = Some(settings.http.ca_file.as_str()).filter(|file| !file.is_empty());
        // The same variable as in the reference's SDK.
        let ca_file = named.or_else(|| environment.get("AWS_CA_BUNDLE"));
        let client = Client::new(network, ca_file.unwrap_or_default());
        Self {
            settings,
            environment,
            client,
            opened: Mutex::default(),
        }
    }

    /// The limits of connections, waits and retries that these stores keep.
    #[must_use]
    pub fn network(&self) -> &Network {
        self.client.network()
    }

    /// How many requests were sent again so far, to all of these stores together.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.client.repeated()
    }

    /// Opens the store that `reference` belongs to, or takes the one already open.
    ///
    /// # Errors
    /// Settings that do not describe a store, a container that may not be opened, a kind of store that
    /// Copilot does not have.
    pub fn open(&self, reference: &Reference) -> Result<Object, StoreError> {
        if matches!(reference.scheme(), "http" | "https") {
            return Ok(Object {
                backend: Arc::new(Web::new(self.client.clone())),
                target: target(reference, reference.key()),
                // As in the reference, the limit does not hold for the web.
                limit_mib: 0,
            });
        }
        let route = self.route(reference)?;
        let (container, key) = match route.kind.as_str() {
            "local" => split_file(reference, &route)?,
            _ => (reference.container().to_owned(), reference.key().to_owned()),
        };
        self.check_container(reference, &route, &container)?;

        let account = reference.account().map(str::to_owned);
        let slot = (reference.scheme().to_owned(), account, container.clone());
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let backend = if let Some(backend) = opened.get(&slot) {
            Arc::clone(backend)
        } else {
            let backend = self.connect(reference, &route, &container)?;
            opened.insert(slot, Arc::clone(&backend));
            backend
        };
        Ok(Object {
            backend,
            target: target(reference, &key),
            limit_mib: self.settings.max_download_mib,
        })
    }

    fn route(&self, reference: &Reference) -> Result<StoreRoute<'_>, StoreError> {
        let kind = self.primary_kind(reference)?;
        let scheme = reference.scheme();
        let is_primary = match (kind.as_str(), scheme) {
            // Its containers need neither settings nor creation, so none belongs to the platform (spec
            // §6.6 speaks of stow's kinds only).
            ("mem", scheme) if !SCHEMES.contains(&scheme) => {
                return Ok(StoreRoute {
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
            (_, scheme) => self.settings.single_store || !SCHEMES.contains(&scheme),
        };
        if is_primary {
            return Ok(StoreRoute {
                kind,
                config: &self.settings.stow_config,
                any_container: self.settings.multicontainer,
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
        let own = self.settings.schemes.get(scheme);
        let kind = own
            .map(|own| own.kind.as_str())
            .filter(|kind| !kind.is_empty());
        Ok(StoreRoute {
            kind: kind.unwrap_or(known_kind).to_owned(),
            config: own.map_or(&NO_KEYS, |own| &own.config),
            any_container: true,
            primary: false,
        })
    }

    fn primary_kind(&self, reference: &Reference) -> Result<String, StoreError> {
        let settings = &self.settings;
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

    fn check_container(
        &self,
        reference: &Reference,
        route: &StoreRoute<'_>,
        container: &str,
    ) -> Result<(), StoreError> {
        let base = self.settings.container.as_str();
        if route.primary && base.is_empty() {
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
        if !route.any_container && container != base {
            return Err(setting(
                reference,
                format!("container {container:?} is not the configured {base:?}"),
                "Set storage.enable-multicontainer to open other containers",
            ));
        }
        Ok(())
    }

    fn connect(
        &self,
        reference: &Reference,
        route: &StoreRoute<'_>,
        container: &str,
    ) -> Result<Arc<dyn Backend>, StoreError> {
        match route.kind.as_str() {
            "s3" | "google" | "azure" => {
                self.client
                    .check()
                    .map_err(|rule| setting(reference, rule, AUTHORITIES))?;
                let bucket = match route.kind.as_str() {
                    "s3" => self.s3(route, container),
                    "google" => self.google(route, container),
                    _ => self.azure(route, container, reference.account()),
                };
                let bucket = bucket.map_err(|rule| setting(reference, rule, remedy(route)))?;
                Ok(Arc::new(bucket))
            }
            "local" => {
                let root = local_root(reference, route)?;
                if matches!(container, "." | "..") {
                    return Err(setting(
                        reference,
                        "the container is `.` or `..`, which names no directory of its own",
                        "Name a directory",
                    ));
                }
                Ok(Arc::new(LocalDirectory::new(root.join(container))))
            }
            "mem" => Ok(Arc::new(InMemory::new(container))),
            other => Err(StoreError::Unsupported {
                object: reference.shown(),
                what: format!("the kind of store {other:?}"),
                instead: alternative_to(other),
            }),
        }
    }

    fn s3(&self, route: &StoreRoute<'_>, container: &str) -> Result<Bucket, SettingError> {
        // A secondary S3 store without keys of its own uses the ambient credentials (spec §6.3).
        let ambient;
        let config = if !route.primary && !route.config.contains_key("auth_type") {
            let iam = ("auth_type".to_owned(), "iam".to_owned());
            ambient = route.config.clone().into_iter().chain([iam]).collect();
            &ambient
        } else {
            route.config
        };
        let (s3, http) = (self.settings.s3, &self.settings.http);
        let settings = s3::S3StoreSettings::read(config, s3, http, &self.environment)?;
        s3::open(&settings, container, self.client.clone())
    }

    fn google(&self, route: &StoreRoute<'_>, container: &str) -> Result<Bucket, SettingError> {
        let settings = google::GoogleStoreSettings::read(
            route.config,
            &self.settings.http,
            &self.environment,
        )?;
        google::open(&settings, container, self.client.clone())
    }

    fn azure(
        &self,
        route: &StoreRoute<'_>,
        container: &str,
        account: Option<&str>,
    ) -> Result<Bucket, SettingError> {
        let http = &self.settings.http;
        let settings =
            azure::AzureStoreSettings::read(route.config, account, http, &self.environment)?;
        azure::open(&settings, container, self.client.clone())
    }
}

/// Container and key of a reference to the local kind: `file://CONTAINER/KEY`, or an absolute
/// path beneath the configured one.
fn split_file(
    reference: &Reference,
    route: &StoreRoute<'_>,
) -> Result<(String, String), StoreError> {
    if !reference.container().is_empty() {
        return Ok((reference.container().to_owned(), reference.key().to_owned()));
    }
    let root = local_root(reference, route)?;
    let absolute = Path::new("/").join(reference.key());
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
fn local_root(reference: &Reference, route: &StoreRoute<'_>) -> Result<PathBuf, StoreError> {
    let path = route.config.get("path").filter(|path| !path.is_empty());
    let remedy = if route.primary {
        "Set path in storage.stow.config"
    } else {
        "Set storage.schemes.file.config.path"
    };
    let path =
        path.ok_or_else(|| setting(reference, "no path is set for the local store", remedy))?;
    std::path::absolute(path).map_err(|error| {
        let rule = SettingError::file(format!("path={path}"), error);
        setting(reference, rule, remedy)
    })
}

fn remedy(route: &StoreRoute<'_>) -> &'static str {
    if route.primary {
        "Correct it in storage.stow.config"
    } else {
        "Correct it in storage.schemes, the entry of this scheme"
    }
}

fn target(reference: &Reference, key: &str) -> Target {
    Target {
        key: key.to_owned(),
        reference: reference.clone(),
    }
}

fn setting(reference: &Reference, rule: impl Into<SettingError>, remedy: &str) -> StoreError {
    StoreError::Setting {
        object: reference.shown(),
        rule: rule.into(),
        remedy: remedy.to_owned(),
    }
}

fn alternative_to(kind: &str) -> &'static str {
    match kind {
        "oracle" | "swift" | "b2" => "It also speaks S3: use kind s3 with its endpoint",
        _ => "Use kind s3, google, azure or local",
    }
}

#[cfg(test)]
mod tests;
