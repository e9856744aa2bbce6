//! From a reference to its store (spec §6.3, §6.6): by scheme, opened on first use, kept.
//!
//! Here the settings choose the backend, and here they are checked. Never here: what a backend does.
//! `route` finds the settings that apply, and `scheme` refuses what no store has. Callers: `command`, which makes [`Stores`] from the settings, and
//! `transfer`, which opens objects.

mod route;
mod scheme;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::azure;
use super::backend::{Backend, ObjectAddress};
use super::bucket::Bucket;
use super::directory::LocalDirectory;
use super::environment::Environment;
use super::error::{SettingError, StoreError};
use super::google;
use super::http::Client;
use super::memory::InMemory;
use super::network::Network;
use super::object::{Object, SecondKey};
use super::reference::Reference;
use super::s3;
use super::web::Web;
use crate::config::StorageSettings;
pub use route::SCHEMES;
use route::{StoreRoute, setting};

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
        scheme::check(&self.settings, reference)?;
        if matches!(reference.scheme(), "http" | "https") {
            return Ok(Object {
                backend: Arc::new(Web::new(self.client.clone())),
                target: target(reference, reference.key()),
                second: None,
                // As in the reference, the limit does not hold for the web.
                limit_mib: 0,
            });
        }
        let route = StoreRoute::find(&self.settings, reference)?;
        let (container, key, second) = route.split(reference)?;
        route.check_container(&self.settings, reference, &container)?;

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
            second: second.map(|key| Arc::new(SecondKey::new(target(reference, &key)))),
            target: target(reference, &key),
            limit_mib: self.settings.max_download_mib,
        })
    }

    /// The directory that holds the object, if its store is of the local kind.
    #[must_use]
    pub fn local_directory(&self, reference: &Reference) -> Option<PathBuf> {
        let route = StoreRoute::find(&self.settings, reference).ok()?;
        if route.kind != "local" {
            return None;
        }
        let (container, _, _) = route.split(reference).ok()?;
        Some(route.local_root(reference).ok()?.join(container))
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
                let bucket = bucket.map_err(|rule| setting(reference, rule, route.remedy()))?;
                Ok(Arc::new(bucket))
            }
            "local" => {
                let root = route.local_root(reference)?;
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

fn target(reference: &Reference, key: &str) -> ObjectAddress {
    ObjectAddress {
        key: key.to_owned(),
        reference: reference.clone(),
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
