//! The stores: each reference is opened and asked; `--probe` writes, reads and deletes an object.

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use thiserror::Error;
use tokio::time::timeout;

use crate::doctor::DoctorRequest;
use crate::doctor::facts::{AnswerFacts, ProbeStep, Reason, StoreFacts};
use crate::store::{Network, Object, Reference, ReferenceError, Retry, StoreError, Stores};

/// The longest time for one reference, all its requests and their repetitions.
const LONGEST: Duration = Duration::from_mins(1);

/// What the object of `--probe` holds. An empty object would show less.
const CONTENT: &[u8] = b"An object of `copilot doctor --probe`. It can be deleted.\n";

/// A person waits: two attempts, and 10 s of silence at most.
#[must_use]
pub fn patience() -> Network {
    Network {
        connections: 4,
        stall_timeout: Duration::from_secs(10),
        retry: Retry {
            attempts: 2,
            ..Retry::default()
        },
        ..Network::default()
    }
}

/// Why a reference leads to no answer.
#[derive(Debug, Error)]
enum AskError {
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store has not answered within {} s", LONGEST.as_secs())]
    Silence,
}

/// Why an object of `--probe` is not what was written.
#[derive(Debug, Error)]
enum ReadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "it holds other bytes than were written: something between us and the store changes them"
    )]
    Changed,
}

/// What the references of the flags lead to.
pub async fn stores(request: &DoctorRequest, stores: &Stores) -> Vec<StoreFacts> {
    let named = [
        ("--from-remote", &request.from_remote, None),
        (
            "--to-output-prefix",
            &request.to_output_prefix,
            Some("outputs.pb"),
        ),
        (
            "--to-raw-output",
            &request.to_raw_output,
            Some("copilot-doctor"),
        ),
        ("--to", &request.to, Some("copilot-doctor")),
    ];
    let mut found = Vec::new();
    for (flag, text, name) in named {
        let Some(text) = text else {
            continue;
        };
        let reference = Reference::parse(text);
        let shown = reference.map_or_else(|_| "(not a reference)".to_owned(), |it| it.shown());
        let asked = timeout(LONGEST, ask(stores, text, name, request.probe)).await;
        let store = asked.unwrap_or(Err(AskError::Silence));
        found.push(StoreFacts {
            flag,
            reference: shown,
            store: store.map_err(Reason::from),
        });
    }
    found
}

/// Asks for the object at `text`, or for `name` below it.
async fn ask(
    stores: &Stores,
    text: &str,
    name: Option<&str>,
    probe: bool,
) -> Result<AnswerFacts, AskError> {
    let target = match name {
        None => Reference::parse(text)?,
        Some(name) => Reference::prefix(text)?.join(&[name])?,
    };
    let object = stores.open(&target)?;
    let exists = exists(&object, name.is_some()).await;
    // The same silence need not be waited for again.
    let answers = !matches!(
        exists,
        Err(StoreError::Unreachable { .. } | StoreError::Untrusted { .. })
    );
    let clock_ahead = if answers {
        object.clock_ahead().await.unwrap_or(None)
    } else {
        None
    };
    let probe = if probe && answers && name.is_some() {
        probe_below(stores, &Reference::prefix(text)?).await?
    } else {
        Vec::new()
    };
    Ok(AnswerFacts {
        endpoint: object.location().store,
        object: target.shown(),
        exists,
        clock_ahead,
        probe,
    })
}

/// Whether the object exists, by a read of its first byte: an answer to HEAD would not say why it refuses. The limit
/// on the size of a read does not matter for what is to be replaced.
async fn exists(object: &Object, is_replaced: bool) -> Result<bool, StoreError> {
    match object.get(Some(0..1), None).await {
        Ok(_) => Ok(true),
        Err(StoreError::NotFound { .. }) => Ok(false),
        Err(StoreError::TooLarge { .. }) if is_replaced => Ok(true),
        Err(error) => Err(error),
    }
}

/// Writes an object that nobody else has, reads it and deletes it; stops if it cannot be written.
async fn probe_below(stores: &Stores, prefix: &Reference) -> Result<Vec<ProbeStep>, AskError> {
    let name = format!("copilot-doctor-{:016x}", rand::random::<u64>());
    let target = prefix.join(&[&name])?;
    let object = stores.open(&target)?;
    let step = |name, outcome: Result<(), Reason>| ProbeStep {
        name,
        object: target.shown(),
        outcome,
    };
    let written = object.put(Bytes::from_static(CONTENT)).await;
    let mut steps = vec![step("write", written.map_err(Reason::from))];
    if steps[0].outcome.is_ok() {
        let read = read_back(&object).await;
        steps.push(step("read", read.map_err(Reason::from)));
        let deleted = object.delete().await;
        steps.push(step("delete", deleted.map_err(Reason::from)));
    } else {
        // A write whose answer was lost may have had its effect.
        let _ = object.delete().await;
    }
    Ok(steps)
}

async fn read_back(object: &Object) -> Result<(), ReadError> {
    let body = object.get(None, None).await?;
    let mut left = CONTENT;
    let mut stream = body.stream;
    while let Some(part) = stream.try_next().await? {
        left = left.strip_prefix(&*part).ok_or(ReadError::Changed)?;
    }
    if left.is_empty() {
        Ok(())
    } else {
        Err(ReadError::Changed)
    }
}
