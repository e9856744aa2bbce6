use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// Credentials that live as long as this; the third question and later ones are refused.
#[derive(Debug)]
struct Brief {
    lifetime: Option<Duration>,
    asked: AtomicU64,
}

#[async_trait]
impl Source for Arc<Brief> {
    async fn fetch(&self) -> Result<Granted, Failure> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        if asked > 2 {
            return Err(credential_failure("enough"));
        }
        Ok(Granted {
            credential: Arc::new(keys(asked.to_string(), "s".to_owned(), None)?),
            until: self.lifetime.map(|lifetime| SystemTime::now() + lifetime),
        })
    }
}

fn brief(lifetime: Option<Duration>) -> (Arc<Brief>, AwsCredentialProvider) {
    let source = Arc::new(Brief {
        lifetime,
        asked: AtomicU64::new(0),
    });
    (Arc::clone(&source), Temporary::provider(source))
}

async fn id(provider: &AwsCredentialProvider) -> String {
    let credential = provider.get_credential().await.unwrap();
    credential.key_id.clone()
}

#[tokio::test]
async fn those_that_live_are_kept() {
    for lifetime in [
        None,
        Some(Duration::from_hours(1)),
        Some(Duration::from_mins(4)),
    ] {
        let (source, provider) = brief(lifetime);
        for _ in 0..3 {
            assert_eq!(id(&provider).await, "1", "{lifetime:?}");
        }
        assert_eq!(source.asked.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn those_that_are_over_are_renewed_or_refused() {
    let (_, provider) = brief(Some(Duration::ZERO));
    assert_eq!(id(&provider).await, "1");
    assert_eq!(id(&provider).await, "2");
    let error = provider.get_credential().await.unwrap_err();
    assert_eq!(Failure::within(&error).unwrap().message, "enough");
}

#[test]
fn renewed_in_time_and_asked_for_in_time() {
    for (lifetime, renewal) in [(3600, 3300), (900, 600), (400, 200), (10, 5), (0, 0)] {
        let now = Instant::now();
        let kept = Kept::new(Granted {
            credential: Arc::new(keys(String::new(), String::new(), None).unwrap()),
            until: Some(SystemTime::now() + Duration::from_secs(lifetime)),
        });
        let after = (kept.renewal.unwrap() - now).as_secs_f64().round();
        assert!(
            (after - f64::from(renewal)).abs() < 2.0,
            "{lifetime}: {after}"
        );
    }
}

#[tokio::test]
async fn a_source_that_fails_is_waited_for_while_the_old_ones_live() {
    let (source, provider) = brief(Some(Duration::from_mins(1)));
    source.asked.store(1, Ordering::Relaxed);
    assert_eq!(id(&provider).await, "2");
    let kept = Temporary {
        source: Arc::clone(&source),
        kept: Mutex::new(Some(Kept {
            credential: Arc::new(keys("old".to_owned(), String::new(), None).unwrap()),
            renewal: Some(Instant::now()),
            end: Some(Instant::now() + Duration::from_mins(1)),
        })),
    };
    for _ in 0..2 {
        assert_eq!(kept.get_credential().await.unwrap().key_id, "old");
    }
    // And not asked each time.
    assert_eq!(source.asked.load(Ordering::Relaxed), 3);
}

#[test]
fn moments() {
    for text in ["2030-01-02T03:04:05Z", "2030-01-02T03:04:05.5+02:00"] {
        assert!(until(Some(text)).unwrap().is_some(), "{text}");
    }
    assert!(until(None).unwrap().is_none());
    assert!(until(Some("")).unwrap().is_none());
    assert!(until(Some("soon")).is_err());
}
