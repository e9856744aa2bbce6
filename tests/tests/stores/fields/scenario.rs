//! What asks for each answer, through each kind of store, and whether it got what it should.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use copilot::config::StorageSettings;
use copilot::store::{Environment, Network, Object, Reference, Retry, StoreError, Stores};
use copilot::transfer::{Copy, Engine, Stop, TransferLimits};
use copilot_tests::site::{self, bytes, closed_environment};
use futures_util::stream;

use super::Outcome;
use super::answer::Flaw;
use super::server::Store;

/// Bytes in a part, and of the object that has three of them.
const PART: usize = 1000;
const LARGE: usize = 2500;

/// How the store is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    S3,
    Google,
    Azure,
    Web,
}

/// What came of it.
pub struct Found {
    result: Result<bool, String>,
    looked: bool,
    listed: bool,
    /// Whether the field was in an answer at all.
    applied: bool,
}

impl Client {
    pub fn name(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Google => "Google",
            Self::Azure => "Azure",
            Self::Web => "web",
        }
    }

    /// The reference of a key.
    fn reference(self, host: &str, key: &str) -> Reference {
        let container = match self {
            Self::S3 => "s3://data".to_owned(),
            Self::Google => "gs://data".to_owned(),
            Self::Azure => "abfs://data".to_owned(),
            Self::Web => format!("http://{host}/data"),
        };
        Reference::parse(&format!("{container}/{key}")).unwrap()
    }

    fn stores(self, host: &str, has_credentials: bool) -> Stores {
        let endpoint = format!("http://{host}");
        let account = format!("{endpoint}/me");
        let mut environment = Vec::new();
        let (kind, keys) = match self {
            Self::S3 | Self::Web if has_credentials => {
                let address = format!("{endpoint}/creds");
                environment.push(("AWS_CONTAINER_CREDENTIALS_FULL_URI", address));
                ("s3", vec![("auth_type", "iam"), ("endpoint", &*endpoint)])
            }
            Self::S3 | Self::Web => {
                let keys = [("access_key_id", "key"), ("secret_key", "secret")];
                ("s3", [&keys[..], &[("endpoint", &endpoint)]].concat())
            }
            Self::Google if has_credentials => {
                environment.push(("GCE_METADATA_HOST", host.to_owned()));
                ("google", vec![("endpoint", &*endpoint)])
            }
            Self::Google => {
                environment.push(("STORAGE_EMULATOR_HOST", host.to_owned()));
                ("google", Vec::new())
            }
            Self::Azure => {
                let keys = [("account", "me"), ("key", "AAAA"), ("endpoint", &*account)];
                ("azure", keys.to_vec())
            }
        };
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let settings = StorageSettings {
            store_type: "stow".to_owned(),
            stow_kind: kind.to_owned(),
            stow_config: keys.into_iter().map(pair).collect(),
            container: "data".to_owned(),
            ..StorageSettings::default()
        };
        let mut variables: Vec<(String, String)> = Vec::new();
        // In place of the closed ones.
        let closed = [
            "AWS_EC2_METADATA_DISABLED",
            "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        ];
        for name in closed {
            let value = closed_environment().get(name).map(str::to_owned);
            variables.extend(value.map(|value| (name.to_owned(), value)));
        }
        variables.extend(
            environment
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        let environment: Environment = variables.into_iter().collect();
        let network = Network {
            retry: Retry {
                attempts: 3,
                base: Duration::from_millis(1),
                ..Retry::default()
            },
            ..Network::default()
        };
        Stores::new(settings, network, environment)
    }
}

/// A store, and what asks it in one way.
pub struct Asker {
    pub client: Client,
    store: Store,
    stores: Arc<Stores>,
}

impl Asker {
    pub fn start(client: Client) -> Self {
        let store = Store::start();
        let host = store.server.address().to_string();
        Self {
            client,
            stores: Arc::new(client.stores(&host, false)),
            store,
        }
    }

    /// Asks the store, with this flaw, for the answer that has it.
    pub async fn run(&self, flaw: Flaw) -> Found {
        let (small, large) = (bytes(700, 1), bytes(LARGE, 2));
        let mut objects = vec![("small", &*small), ("large", &*large)];
        objects.extend([("p/a", &b"1"[..]), ("p/b", b"22"), ("p/c", b"333")]);
        self.store.reset(flaw, &objects);
        let result = self.ask(flaw.answer, &small, &large).await;
        Found {
            result,
            looked: self.store.was_asked("HEAD") && !matches!(flaw.answer, "HEAD" | "token"),
            listed: self.store.was_asked("list of parts"),
            applied: self.store.applied(),
        }
    }

    /// Whether the store did what it was asked; or the failure.
    async fn ask(&self, answer: &str, small: &[u8], large: &[u8]) -> Result<bool, String> {
        let host = self.store.server.address().to_string();
        let reference = |key: &str| self.client.reference(&host, key);
        let object = |key: &str| self.stores.open(&reference(key)).unwrap();
        let has = |key: &str, content: &[u8]| self.store.object(key).as_deref() == Some(content);
        let limits = TransferLimits {
            part_size: PART as u64,
            ..TransferLimits::within(None)
        };
        let engine = Engine::new(Arc::clone(&self.stores), limits);
        match answer {
            "GET" => {
                let stop = Stop::default();
                let read = engine.read(&reference("small"), 1 << 20, &stop).await;
                read.map(|found| found == small)
                    .map_err(|error| error.to_string())
            }
            "GET of a range" => download(&engine, reference("large"), large).await,
            "HEAD" => shown(object("small").exists().await),
            "token" => {
                // They are kept, so each question needs new stores.
                let stores = self.client.stores(&host, true);
                let object = stores.open(&reference("small")).unwrap();
                shown(object.exists().await)
            }
            "listing" => listed(&object("p")).await,
            "PUT" => {
                let put = object("new").put(Bytes::copy_from_slice(small)).await;
                shown(put).map(|()| has("new", small))
            }
            "DELETE" => {
                let deleted = object("small").delete().await;
                shown(deleted).map(|()| self.store.object("small").is_none())
            }
            "abort" => {
                let upload = object("up").begin().await.unwrap();
                shown(upload.abort().await).map(|()| true)
            }
            _ => {
                let uploaded = upload(&object("up"), large).await;
                shown(uploaded).map(|()| has("up", large))
            }
        }
    }
}

fn shown<T>(result: Result<T, StoreError>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

/// An object of several ranges, to a file.
async fn download(engine: &Engine, from: Reference, expected: &[u8]) -> Result<bool, String> {
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("large");
    let copy = Copy::Download {
        from,
        to: site::place(&to),
        size: None,
    };
    let done = engine.run(stream::iter([copy]), &Stop::default()).await;
    done.map_err(|error| error.to_string())?;
    Ok(std::fs::read(to).unwrap() == expected)
}

async fn listed(prefix: &Object) -> Result<bool, String> {
    let mut listing = prefix.list().unwrap();
    let mut keys = Vec::new();
    while let Some(page) = shown(listing.next_page().await)? {
        keys.extend(page.into_iter().map(|entry| entry.key));
    }
    Ok(keys == ["p/a", "p/b", "p/c"])
}

async fn upload(object: &Object, content: &[u8]) -> Result<(), StoreError> {
    let mut upload = object.begin().await?;
    let mut parts = Vec::new();
    for (index, piece) in content.chunks(PART).enumerate() {
        let offset = (index * PART) as u64;
        let data = Bytes::copy_from_slice(piece);
        parts.push(upload.part(index, offset, data).await?);
    }
    upload.complete(parts, content.len() as u64).await
}

impl Found {
    /// Whether it is what was expected; else what it is.
    pub fn matches(&self, expected: Outcome) -> Result<(), String> {
        if !self.applied {
            return Err("no answer has the field".to_owned());
        }
        let found = match &self.result {
            Ok(false) => return Err("it worked, with a wrong result".to_owned()),
            Ok(true) if self.listed => Outcome::Lists,
            Ok(true) if self.looked => Outcome::Looks,
            Ok(true) => Outcome::Works,
            Err(message) => match expected {
                Outcome::Refused(words) if message.contains(words) => expected,
                _ => return Err(format!("it was refused: {message}")),
            },
        };
        let matches = found == expected;
        matches
            .then_some(())
            .ok_or_else(|| format!("it was {found:?}"))
    }
}
