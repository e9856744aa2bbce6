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

/// The longest name of a key that is shown. A secret in its place is longer, or has digits.
const LONGEST_KEY: usize = 32;

/// Warns of keys that a kind of store does not have.
pub(in crate::store) fn warn_of_unknown(
    kind: &str,
    config: &BTreeMap<String, String>,
    known: &[&str],
) {
    // The default settings of every kind have a region.
    let is_known = |key: &str| known.contains(&key) || key == "region";
    for key in config.keys().filter(|key| !is_known(key)) {
        tracing::warn!("{}", unknown(kind, key, known));
    }
}

fn unknown(kind: &str, key: &str, known: &[&str]) -> String {
    let near = |name: &&&str| strsim::jaro_winkler(key, name);
    let nearest = known.iter().max_by(|a, b| near(a).total_cmp(&near(b)));
    let hint = match nearest.filter(|name| near(name) >= 0.8) {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => format!("its keys are {}", known.join(", ")),
    };
    format!(
        "storage.stow.config has the key {}, which a store of the kind {kind} does not have, so it has no effect; \
         {hint}",
        shown(key)
    )
}

/// A key for messages. In a malformed pair a secret may stand in its place, so only what can be a name is shown.
fn shown(key: &str) -> String {
    let digits = key.chars().filter(char::is_ascii_digit).count();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if key.len() <= LONGEST_KEY && digits <= 2 && key.chars().all(is_name) {
        return format!("{key:?}");
    }
    let begin: String = key.chars().take_while(|c| is_name(*c)).take(3).collect();
    format!(
        "{begin:?}… ({} characters, not shown: it may be a secret)",
        key.chars().count()
    )
}

/// Whether a text can stand in a header.
pub(in crate::store) fn is_header_text(value: &str) -> bool {
    HeaderValue::from_str(value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_unless_it_may_be_a_secret() {
        let known = ["region", "endpoint", "secret_key"];
        let told = unknown("s3", "endpiont", &known);
        assert!(
            told.contains("\"endpiont\"") && told.ends_with("did you mean endpoint?"),
            "{told}"
        );
        let told = unknown("s3", "colour", &known);
        assert!(told.contains("region, endpoint, secret_key"), "{told}");
        for secret in [
            "wjalrxutnfemi/k7mdeng/bpxrficyexamplekey",
            "akia1234567890abcdef",
        ] {
            let told = unknown("s3", secret, &known);
            assert!(!told.contains(&secret[..5]), "{told}");
        }
    }
}
