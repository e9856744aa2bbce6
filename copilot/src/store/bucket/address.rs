//! Addresses, names and headers from the settings, checked once: they become part of every request.
//! Callers: `s3`, `google`, `azure`.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::HttpSettings;
use crate::store::error::SettingError;

/// Longest name of a bucket: that of the oldest ones.
const LONGEST: usize = 255;

/// Refuses a name that no bucket can have: it becomes a part of an address.
pub(in crate::store) fn checked_name(bucket: &str) -> Result<(), SettingError> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if bucket.is_empty() || !bucket.chars().all(valid) || bucket.starts_with('.') {
        return Err(format!(
            "bucket {bucket:?}: its name may hold letters, digits, `-`, `_` and `.` only"
        )
        .into());
    }
    if bucket.len() > LONGEST {
        return Err(format!(
            "bucket {:?}…: its name has {} bytes; at most {LONGEST} are allowed",
            &bucket[..LONGEST],
            bucket.len()
        )
        .into());
    }
    Ok(())
}

/// The base address that a key `endpoint` names; without a scheme it is `https`, unless `plain`.
pub(in crate::store) fn endpoint(given: &str, plain: bool) -> Result<String, SettingError> {
    let scheme = if plain { "http" } else { "https" };
    let refuse = |rule: &str| {
        let rule = format!("endpoint={given:?}: {rule}; expected [http[s]://]HOST[:PORT]");
        SettingError::from(rule)
    };
    let full = if given.contains("://") {
        given.to_owned()
    } else {
        format!("{scheme}://{given}")
    };
    let url: reqwest::Url = full
        .parse()
        .map_err(|error| refuse(&format!("it is not an address ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("it is neither http nor https"));
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(refuse("it has more than a host, a port and a path"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The headers that the settings add to each request.
pub(in crate::store) fn headers(http: &HttpSettings) -> Result<HeaderMap, SettingError> {
    let header = |(name, value): (&String, &String)| {
        let wrong = |rule: String| format!("storage.defaultHttpClient.headers: {rule}");
        let name: HeaderName = name
            .parse()
            .map_err(|_| wrong(format!("{name:?} is not a header name")))?;
        let mut value: HeaderValue = value
            .parse()
            .map_err(|_| wrong(format!("the value of {name} is not a header value")))?;
        // Gateways take keys in headers.
        value.set_sensitive(true);
        Ok((name, value))
    };
    http.headers.iter().map(header).collect()
}

/// Warns of keys that a kind of store does not have. It does not show them: in a malformed pair a secret
/// may stand where the name should.
pub(in crate::store) fn warn_of_unknown(
    kind: &str,
    config: &BTreeMap<String, String>,
    known: &[&str],
) {
    // The default settings of every kind have a region.
    let is_known = |key: &str| known.contains(&key) || key == "region";
    for key in config.keys().filter(|key| !is_known(key)) {
        let near = |name: &&&str| strsim::jaro_winkler(key, name);
        let nearest = known.iter().max_by(|a, b| near(a).total_cmp(&near(b)));
        tracing::warn!(
            kind,
            nearest,
            "the store's settings hold a key that this kind does not have; it has no effect"
        );
    }
}

/// Whether a text can stand in a header.
pub(in crate::store) fn is_header_text(value: &str) -> bool {
    HeaderValue::from_str(value).is_ok()
}
