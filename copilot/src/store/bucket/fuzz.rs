//! Listings and other XML of buckets, as targets of a fuzzer (`crate::fuzzing`).

use bytes::Bytes;
use futures_util::FutureExt as _;
use object_store::client::HttpResponse;

use super::listing::{Dialect, Walk};

/// A page of a listing, in each dialect: keys come from the page, once each, and a page that comes again has
/// nothing new.
pub(crate) fn listings(data: &[u8]) {
    for dialect in [Dialect::S3, Dialect::Azure] {
        let page = || {
            let answer = HttpResponse::new(Bytes::copy_from_slice(data).into());
            let read = dialect.read(answer).now_or_never();
            read.expect("the body is there").ok()
        };
        let (Some(first), Some(second)) = (page(), page()) else {
            continue;
        };
        let mut walk = Walk::new(dialect, String::new());
        let Ok(new) = walk.take(first) else {
            continue;
        };
        let bytes: usize = new.iter().map(|entry| entry.key.len()).sum();
        // Latin-1 becomes twice as long.
        assert!(bytes <= 2 * data.len(), "{bytes}");
        let is_sorted = new.is_sorted_by(|one, other| one.key < other.key);
        if walk.request("http://host/bucket").is_some()
            && let Ok(again) = walk.take(second)
        {
            assert!(again.is_empty() || !is_sorted, "{again:?}");
        }
    }
}
