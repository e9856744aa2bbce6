//! Credentials that end: one cache for all stores.
//!
//! A [`CredentialCache`] fetches credentials when the first request needs them, keeps them, renews them
//! before they end, and once more when a store refuses them although they should still be good. Never
//! here: where credentials come from, which a [`CredentialSource`] knows. Callers: `s3`, `google`,
//! `azure`.

mod library;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::error::SettingError;
use super::http::{FailureKind, RequestFailure};
pub(super) use library::FromLibrary;

/// While a source fails and the old credentials are still good, it is asked again after this.
const PAUSE: Duration = Duration::from_secs(10);

/// Requests that a store refuses together renew the credentials once.
const TOGETHER: Duration = Duration::from_secs(10);

/// Where credentials come from.
#[async_trait]
pub(super) trait CredentialSource<C>: fmt::Debug + Send + Sync {
    /// Asks for new ones.
    async fn fetch(&self) -> Result<Granted<C>, RequestFailure>;
}

/// What a source gives.
pub(super) struct Granted<C> {
    pub(super) credential: C,
    pub(super) lifetime: Lifetime,
}

/// How long credentials are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// They have no end that the source knows.
    Endless,
    /// Until a moment.
    Until(SystemTime),
    /// The source keeps and renews them itself: it is asked each time.
    KeptBySource,
}

/// Looks for a source anew.
type Find<C> = Box<dyn Fn() -> Result<Arc<dyn CredentialSource<C>>, SettingError> + Send + Sync>;

/// What may help when a store refuses credentials.
enum AfterRefusal<C> {
    /// Nothing: they stay the same.
    Nothing,
    /// The same source, asked again.
    AskAgain,
    /// Another look for the source: files and variables may have changed.
    FindSource(Find<C>),
}

/// The credentials of one identity.
pub(super) struct CredentialCache<C> {
    /// Whose they are, for the log.
    name: &'static str,
    /// They are renewed this long before their end: a request that waits its turn then still has good
    /// ones.
    margin: Duration,
    after_refusal: AfterRefusal<C>,
    /// Callers who wait here wait for the one question that is asked for all of them.
    state: Mutex<CacheState<C>>,
}

struct CacheState<C> {
    source: Arc<dyn CredentialSource<C>>,
    kept: Option<Kept<C>>,
    /// When a refusal last led to new ones.
    renewed: Option<Instant>,
}

#[derive(Debug)]
struct Kept<C> {
    credential: C,
    renewal: Option<Instant>,
    end: Option<Instant>,
}

/// A source whose credentials stay as they are.
pub(super) struct Fixed<C>(pub(super) C);

impl<C: Clone + Send + Sync + 'static> CredentialCache<C> {
    /// Credentials that never change.
    pub(super) fn fixed(name: &'static str, credential: C) -> Self {
        Self::unchanging(name, Arc::new(Fixed(credential)))
    }

    /// Credentials of a source that always gives the same ones.
    pub(super) fn unchanging(name: &'static str, source: Arc<dyn CredentialSource<C>>) -> Self {
        Self::with(name, Duration::ZERO, source, AfterRefusal::Nothing)
    }

    /// Credentials of a source that can give new ones at any time.
    pub(super) fn from_source(
        name: &'static str,
        margin: Duration,
        source: Arc<dyn CredentialSource<C>>,
    ) -> Self {
        Self::with(name, margin, source, AfterRefusal::AskAgain)
    }

    /// Credentials of the source that `find` finds now, and again after a refusal.
    ///
    /// # Errors
    /// Those of `find`.
    pub(super) fn found(
        name: &'static str,
        margin: Duration,
        find: impl Fn() -> Result<Arc<dyn CredentialSource<C>>, SettingError> + Send + Sync + 'static,
    ) -> Result<Self, SettingError> {
        let source = find()?;
        let find = AfterRefusal::FindSource(Box::new(find));
        Ok(Self::with(name, margin, source, find))
    }

    fn with(
        name: &'static str,
        margin: Duration,
        source: Arc<dyn CredentialSource<C>>,
        after_refusal: AfterRefusal<C>,
    ) -> Self {
        Self {
            name,
            margin,
            after_refusal,
            state: Mutex::new(CacheState {
                source,
                kept: None,
                renewed: None,
            }),
        }
    }

    /// The credentials of the moment.
    ///
    /// # Errors
    /// The source's failure, unless the credentials at hand are still good.
    pub(super) async fn get(&self) -> Result<C, RequestFailure> {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        if let Some(kept) = &state.kept
            && kept.renewal.is_none_or(|renewal| now < renewal)
        {
            return Ok(kept.credential.clone());
        }
        match state.source.fetch().await {
            Ok(granted) => {
                let credential = granted.credential.clone();
                state.kept = Kept::new(granted, self.margin);
                Ok(credential)
            }
            Err(failure) => match state.kept.as_mut() {
                Some(kept) if kept.end.is_none_or(|end| now < end) => {
                    tracing::warn!(
                        %failure,
                        "{} credentials cannot be renewed yet; the old ones are still good",
                        self.name
                    );
                    kept.renewal = Some(now + PAUSE);
                    Ok(kept.credential.clone())
                }
                _ => Err(failure),
            },
        }
    }

    /// Drops credentials that the store does not accept any more. Says whether there may be others.
    pub(super) async fn renew(&self) -> bool {
        if matches!(self.after_refusal, AfterRefusal::Nothing) {
            return false;
        }
        let mut state = self.state.lock().await;
        if state.renewed.is_some_and(|at| at.elapsed() < TOGETHER) {
            return true;
        }
        tracing::info!(
            "{} credentials ended early, looking for new ones",
            self.name
        );
        if let AfterRefusal::FindSource(find) = &self.after_refusal {
            match find() {
                Ok(source) => state.source = source,
                Err(rule) => {
                    tracing::warn!(%rule, "no new {} credentials", self.name);
                    return false;
                }
            }
        }
        state.kept = None;
        state.renewed = Some(Instant::now());
        true
    }
}

impl<C> Kept<C> {
    /// None where the source keeps them.
    fn new(granted: Granted<C>, margin: Duration) -> Option<Self> {
        let now = Instant::now();
        let lifetime = match granted.lifetime {
            Lifetime::KeptBySource => return None,
            Lifetime::Endless => None,
            Lifetime::Until(end) => Some(end.duration_since(SystemTime::now()).unwrap_or_default()),
        };
        Some(Self {
            credential: granted.credential,
            // Credentials that live for less than the margin are not fetched for each request.
            renewal: lifetime.map(|whole| now + whole.saturating_sub(margin).max(whole / 2)),
            end: lifetime.map(|whole| now + whole),
        })
    }
}

#[async_trait]
impl<C: Clone + Send + Sync> CredentialSource<C> for Fixed<C> {
    async fn fetch(&self) -> Result<Granted<C>, RequestFailure> {
        Ok(Granted {
            credential: self.0.clone(),
            lifetime: Lifetime::Endless,
        })
    }
}

/// The failure of a request that needs credentials which could not be fetched.
pub(super) fn not_fetched(name: &str, failure: &RequestFailure) -> RequestFailure {
    let message = format!("no {name} credentials could be fetched: {failure}");
    refused_credential(message, failure)
}

/// The failure of a service that gives credentials. It keeps the service's answer, which says whether
/// another try may help.
pub(super) fn refused_credential(
    message: impl Into<String>,
    failure: &RequestFailure,
) -> RequestFailure {
    RequestFailure {
        reply: failure.reply.clone(),
        ..credential_failure(message)
    }
}

/// A failure to get credentials.
pub(super) fn credential_failure(message: impl Into<String>) -> RequestFailure {
    RequestFailure::new(FailureKind::Credentials, message)
}

impl<C> fmt::Debug for CredentialCache<C> {
    /// Without secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CredentialCache")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for Fixed<C> {
    /// Without secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Fixed")
    }
}

#[cfg(test)]
mod tests;
