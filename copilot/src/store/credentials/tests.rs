use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// Five minutes, as for AWS.
const MARGIN: Duration = Duration::from_mins(5);

/// Credentials that live as long as this; the third question and later ones are refused.
#[derive(Debug)]
struct Brief {
    lifetime: Option<Duration>,
    asked: AtomicU64,
}

#[async_trait]
impl CredentialSource<u64> for Brief {
    async fn fetch(&self) -> Result<Granted<u64>, RequestFailure> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        if asked > 2 {
            return Err(credential_failure("enough"));
        }
        Ok(Granted {
            credential: asked,
            lifetime: self.lifetime.map_or(Lifetime::Endless, |lifetime| {
                Lifetime::Until(SystemTime::now() + lifetime)
            }),
        })
    }
}

fn source(lifetime: Option<Duration>) -> Arc<Brief> {
    Arc::new(Brief {
        lifetime,
        asked: AtomicU64::new(0),
    })
}

fn brief(lifetime: Option<Duration>) -> (Arc<Brief>, CredentialCache<u64>) {
    let source = source(lifetime);
    let cache = CredentialCache::from_source("test", MARGIN, Arc::clone(&source) as _);
    (source, cache)
}

#[tokio::test]
async fn live_credentials_are_kept() {
    for lifetime in [
        None,
        Some(Duration::from_hours(1)),
        Some(Duration::from_mins(4)),
    ] {
        let (source, cache) = brief(lifetime);
        for _ in 0..3 {
            assert_eq!(cache.get().await.unwrap(), 1, "{lifetime:?}");
        }
        assert_eq!(source.asked.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn ended_credentials_are_renewed_or_refused() {
    let (_, cache) = brief(Some(Duration::ZERO));
    assert_eq!(cache.get().await.unwrap(), 1);
    assert_eq!(cache.get().await.unwrap(), 2);
    assert_eq!(cache.get().await.unwrap_err().message, "enough");
}

#[test]
fn credentials_are_renewed_in_time() {
    for (lifetime, renewal) in [(3600, 3300), (900, 600), (400, 200), (10, 5), (0, 0)] {
        let now = Instant::now();
        let end = SystemTime::now() + Duration::from_secs(lifetime);
        let granted = Granted {
            credential: 0,
            lifetime: Lifetime::Until(end),
        };
        let kept = Kept::new(granted, MARGIN).unwrap();
        let after = (kept.renewal.unwrap() - now).as_secs_f64().round();
        assert!(
            (after - f64::from(renewal)).abs() < 2.0,
            "{lifetime}: {after}"
        );
    }
}

#[tokio::test]
async fn old_credentials_serve_while_their_source_fails() {
    let (source, cache) = brief(Some(Duration::from_mins(1)));
    source.asked.store(1, Ordering::Relaxed);
    assert_eq!(cache.get().await.unwrap(), 2);
    cache.state.lock().await.kept = Some(Kept {
        credential: 77,
        renewal: Some(Instant::now()),
        end: Some(Instant::now() + Duration::from_mins(1)),
    });
    for _ in 0..2 {
        assert_eq!(cache.get().await.unwrap(), 77);
    }
    // And the source is not asked each time.
    assert_eq!(source.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_refusal_renews_once_for_all_requests_that_it_hit() {
    let (source, cache) = brief(None);
    assert_eq!(cache.get().await.unwrap(), 1);
    for _ in 0..3 {
        assert!(cache.renew().await);
        assert_eq!(cache.get().await.unwrap(), 2);
    }
    assert_eq!(source.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_refusal_finds_the_source_anew() {
    let found = AtomicU64::new(0);
    let cache = CredentialCache::<u64>::found("test", MARGIN, move || {
        let before = found.fetch_add(1, Ordering::Relaxed);
        if before > 1 {
            return Err("gone".into());
        }
        let source = source(None);
        source.asked.store(before, Ordering::Relaxed);
        Ok(source)
    })
    .unwrap();
    assert_eq!(cache.get().await.unwrap(), 1);
    assert!(cache.renew().await);
    assert_eq!(cache.get().await.unwrap(), 2);
    // Ten seconds later the source is gone.
    cache.state.lock().await.renewed = None;
    assert!(!cache.renew().await);
    assert_eq!(cache.get().await.unwrap(), 2);
}

#[tokio::test]
async fn fixed_credentials_stay() {
    let cache = CredentialCache::fixed("test", 5);
    assert!(!cache.renew().await);
    assert_eq!(cache.get().await.unwrap(), 5);
}
