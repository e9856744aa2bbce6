//! Credentials that end: kept, and renewed before they do.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use chrono::DateTime;
use object_store::CredentialProvider;
use object_store::aws::{AwsCredential, AwsCredentialProvider};
use tokio::sync::Mutex;

use crate::store::bucket::is_header_text;
use crate::store::http::{Failure, FailureKind};

/// They are renewed this long before their end: a request that waits its turn is still good then.
const MARGIN: Duration = Duration::from_mins(5);

/// A source that fails while the old ones are still good is asked again after this.
const PAUSE: Duration = Duration::from_secs(10);

/// Where they come from.
#[async_trait]
pub(super) trait Source: fmt::Debug + Send + Sync {
    /// Asks for new ones.
    async fn fetch(&self) -> Result<Granted, Failure>;
}

/// What a source gives.
pub(super) struct Granted {
    pub(super) credential: Arc<AwsCredential>,
    /// Their end, if they have one.
    pub(super) until: Option<SystemTime>,
}

/// Credentials of one source.
#[derive(Debug)]
pub(super) struct Temporary<S> {
    source: S,
    /// Who waits here waits for the one question that is asked for all.
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    credential: Arc<AwsCredential>,
    renewal: Option<Instant>,
    end: Option<Instant>,
}

impl<S: Source + 'static> Temporary<S> {
    /// As the library wants to see it.
    pub(super) fn provider(source: S) -> AwsCredentialProvider {
        let kept = Mutex::default();
        Arc::new(Self { source, kept })
    }
}

#[async_trait]
impl<S: Source> CredentialProvider for Temporary<S> {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut kept = self.kept.lock().await;
        let now = Instant::now();
        if let Some(kept) = kept.as_ref()
            && kept.renewal.is_none_or(|renewal| now < renewal)
        {
            return Ok(Arc::clone(&kept.credential));
        }
        match self.source.fetch().await {
            Ok(granted) => {
                let credential = Arc::clone(&granted.credential);
                *kept = Some(Kept::new(granted));
                Ok(credential)
            }
            Err(failure) => match kept.as_mut() {
                Some(kept) if kept.end.is_none_or(|end| now < end) => {
                    tracing::warn!(%failure, "AWS credentials cannot be renewed yet");
                    kept.renewal = Some(now + PAUSE);
                    Ok(Arc::clone(&kept.credential))
                }
                _ => Err(object_store::Error::Generic {
                    store: "credentials",
                    source: Box::new(failure),
                }),
            },
        }
    }
}

impl Kept {
    fn new(granted: Granted) -> Self {
        let now = Instant::now();
        let lifetime = granted
            .until
            .map(|until| until.duration_since(SystemTime::now()).unwrap_or_default());
        Self {
            credential: granted.credential,
            // Those that live for less than the margin are not asked for with each request.
            renewal: lifetime.map(|whole| now + whole.saturating_sub(MARGIN).max(whole / 2)),
            end: lifetime.map(|whole| now + whole),
        }
    }
}

/// Keys and token, fit for requests.
pub(super) fn keys(
    key_id: String,
    secret_key: String,
    token: Option<String>,
) -> Result<AwsCredential, Failure> {
    let token = token.filter(|token| !token.is_empty());
    if !is_header_text(&key_id) || token.as_deref().is_some_and(|token| !is_header_text(token)) {
        return Err(credential_failure(
            "they hold a character that no request can carry",
        ));
    }
    Ok(AwsCredential {
        key_id,
        secret_key,
        token,
    })
}

/// The end of credentials, by RFC 3339.
pub(super) fn until(text: Option<&str>) -> Result<Option<SystemTime>, Failure> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let moment = DateTime::parse_from_rfc3339(text).map_err(|_| {
        credential_failure(format!(
            "their end is no moment: {:.40}",
            text.escape_default()
        ))
    })?;
    Ok(Some(moment.into()))
}

/// A failure to get credentials.
pub(super) fn credential_failure(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Credentials, message)
}

#[cfg(test)]
mod tests;
