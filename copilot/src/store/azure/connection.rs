//! Connection strings (`NAME=VALUE;…`), which Azure's portal, tools and emulator give. Caller: `keys`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::store::error::SettingError;

/// The key that holds one.
const KEY: &str = "connection_string";

/// The keys that it replaces, so none of them may be set beside it.
const STANDS_FOR: [&str; 6] = [
    "account",
    "key",
    "sas_token",
    "endpoint",
    "domain_suffix",
    "base_url",
];

/// Parts that belong to other services.
const IGNORED: [&str; 3] = ["queueendpoint", "tableendpoint", "fileendpoint"];

/// The emulator's only account; its key is the same everywhere, and public.
const EMULATOR: &str = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;\
    AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;\
    BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1";

/// The keys, with those that a connection string stands for in its place.
///
/// # Errors
/// The rule that is broken; it shows names and no values.
pub(super) fn expanded(
    config: &BTreeMap<String, String>,
) -> Result<Cow<'_, BTreeMap<String, String>>, SettingError> {
    let text = config.get(KEY).map(|text| text.trim());
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(Cow::Borrowed(config));
    };
    let is_set = |name: &&&str| config.get(**name).is_some_and(|value| !value.is_empty());
    if let Some(both) = STANDS_FOR.iter().find(is_set) {
        return Err(format!("{KEY} and {both} are both set; use one").into());
    }
    let mut all = config.clone();
    all.remove(KEY);
    all.extend(keys(text).map_err(|rule| rule.within(KEY))?);
    Ok(Cow::Owned(all))
}

fn keys(text: &str) -> Result<Vec<(String, String)>, SettingError> {
    let mut parts = parts(text)?;
    let emulator = parts.remove("usedevelopmentstorage");
    if emulator.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        parts = self::parts(EMULATOR)?;
    }
    let mut take = |name: &str| parts.remove(name);
    let (account, endpoint) = (take("accountname"), take("blobendpoint"));
    let account = account
        .or_else(|| account_of(endpoint.as_deref()?).map(str::to_owned))
        .ok_or("it lacks AccountName")?;
    let mut keys = Vec::new();
    let scheme = take("defaultendpointsprotocol").unwrap_or_else(|| "https".to_owned());
    let suffix = take("endpointsuffix").unwrap_or_else(|| super::keys::SUFFIX.to_owned());
    let public = || format!("{scheme}://{account}.blob.{suffix}");
    keys.push((
        "endpoint".to_owned(),
        endpoint.clone().unwrap_or_else(public),
    ));
    keys.extend(take("accountkey").map(|key| ("key".to_owned(), key)));
    keys.extend(take("sharedaccesssignature").map(|token| ("sas_token".to_owned(), token)));
    keys.push(("account".to_owned(), account));
    for name in IGNORED {
        take(name);
    }
    if parts.is_empty() {
        return Ok(keys);
    }
    Err(
        "it has a part that Copilot does not know; known are AccountName, AccountKey, SharedAccessSignature, \
         BlobEndpoint, EndpointSuffix and DefaultEndpointsProtocol"
            .into())
}

/// The account in an address of a public cloud.
fn account_of(endpoint: &str) -> Option<&str> {
    let (_, host) = endpoint.split_once("://")?;
    let (account, _) = host.split_once(".blob.")?;
    Some(account)
}

/// The parts, names in lower case.
fn parts(text: &str) -> Result<BTreeMap<String, String>, SettingError> {
    let parts = text
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_lowercase(), value.trim().to_owned())),
            None => Err("a part of it has no `=`".into()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(pairs: &[(&str, &str)]) -> Result<BTreeMap<String, String>, SettingError> {
        let pairs = pairs.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        expanded(&pairs.collect()).map(Cow::into_owned)
    }

    #[test]
    fn a_connection_string_stands_for_keys() {
        for (text, account, endpoint, secret) in [
            (
                "AccountName=me;AccountKey=a==",
                "me",
                "https://me.blob.core.windows.net",
                Some(("key", "a==")),
            ),
            // The form in which the portal gives signatures.
            (
                "BlobEndpoint=https://me.blob.core.windows.net/;QueueEndpoint=q;FileEndpoint=f;\
                 TableEndpoint=t;SharedAccessSignature=sv=1&sig=b%3D",
                "me",
                "https://me.blob.core.windows.net/",
                Some(("sas_token", "sv=1&sig=b%3D")),
            ),
            // With the identity of the pod.
            (
                "accountname=me; EndpointSuffix=core.cn;",
                "me",
                "https://me.blob.core.cn",
                None,
            ),
        ] {
            let keys = expand(&[(KEY, text), ("upload_concurrency", "4")]).unwrap();
            assert_eq!(keys["account"], account);
            assert_eq!(keys["endpoint"], endpoint);
            assert_eq!(keys["upload_concurrency"], "4");
            assert_eq!(keys.len(), 3 + usize::from(secret.is_some()), "{keys:?}");
            if let Some((name, value)) = secret {
                assert_eq!(keys[name], value);
            }
        }
        let emulator = expand(&[(KEY, "UseDevelopmentStorage=true")]).unwrap();
        assert_eq!(
            emulator["endpoint"],
            "http://127.0.0.1:10000/devstoreaccount1"
        );
    }

    #[test]
    fn wrong_strings_are_refused_without_secrets() {
        for (pairs, named) in [
            (vec![(KEY, "hidden")], "no `=`"),
            (vec![(KEY, "AccountKey=hidden")], "AccountName"),
            (vec![(KEY, "AccountName=me;hidden=x")], "does not know"),
            (vec![(KEY, "AccountName=me"), ("key", "hidden")], "both set"),
        ] {
            let error = expand(&pairs).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
            assert!(!error.contains("hidden"), "{error}");
        }
    }
}
