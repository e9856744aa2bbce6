//! The name of a file under the layout `NAMED_DIR`: that of its object.
//!
//! It is the last segment of the object's key, or of a web address's path, with escapes undone and
//! without query and fragment. An output of ours gets its first name back. A name that no file can have gets another one by a fixed rule. Never here:
//! asking a store which of two keys exists; the caller says so ([`ObjectKeys`]).

use std::borrow::Cow;
use std::collections::HashMap;

use percent_encoding::percent_decode_str;

use super::paths::single_blob;
use crate::idl::{Literal, LiteralMap, literal};
use crate::literal::name::LONGEST;
use crate::literal::object_name::original_name;
use crate::store::Reference;

/// The keys of objects by their references, for references that may stand for two keys.
pub type ObjectKeys = HashMap<String, String>;

/// The name of a file whose object's name no file can have.
const UNNAMED: &str = "data";

/// The longest ending that counts as an extension when a name is cut, in bytes, with its dots.
const LONGEST_EXTENSION: usize = 32;

/// The name of the file for the object at `uri`: one path component of at most 255 bytes.
pub fn file_name(uri: &str, keys: &ObjectKeys) -> String {
    let object = object_segment(uri, keys);
    let name = original_name(&object).replace(['/', '\0'], "_");
    match name.as_str() {
        "" | "." | ".." => UNNAMED.to_owned(),
        _ => cut(name),
    }
}

/// A name of at most 255 bytes: what is too much is cut before the extension.
pub fn cut(name: String) -> String {
    if name.len() <= LONGEST {
        return name;
    }
    let extension = name
        .match_indices('.')
        .map(|(at, _)| &name[at..])
        .find(|tail| tail.len() <= LONGEST_EXTENSION)
        .unwrap_or_default();
    let end = name.floor_char_boundary(LONGEST - extension.len());
    format!("{}{extension}", &name[..end])
}

/// The references of single blobs, named by their objects, that may stand for two keys.
#[must_use]
pub fn with_two_keys(literals: &LiteralMap) -> Vec<String> {
    let mut found = Vec::new();
    for literal in literals.literals.values() {
        collect(literal, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn collect(literal: &Literal, found: &mut Vec<String>) {
    if let Some(uri) = single_blob(literal) {
        let has_two = Reference::parse(uri).is_ok_and(|it| !it.is_web() && it.url_key().is_some());
        if has_two {
            found.push(uri.to_owned());
        }
    }
    match &literal.value {
        Some(literal::Value::Collection(list)) => {
            for literal in &list.literals {
                collect(literal, found);
            }
        }
        Some(literal::Value::Map(map)) => {
            for literal in map.literals.values() {
                collect(literal, found);
            }
        }
        _ => {}
    }
}

/// The last segment of the object's key; it may be empty.
fn object_segment(uri: &str, keys: &ObjectKeys) -> String {
    let reference = Reference::parse(uri);
    match &reference {
        Ok(reference) if !reference.is_web() => {
            let other = || reference.url_key().unwrap_or(reference.key());
            let key = keys.get(uri).map_or_else(other, String::as_str);
            last_segment(key).to_owned()
        }
        // The path of an address, or a text that the transfer will refuse.
        _ => {
            let path = reference.as_ref().map_or(uri, Reference::key);
            let end = path.find(['?', '#']).unwrap_or(path.len());
            let name = last_segment(&path[..end]);
            let decoded = percent_decode_str(name).decode_utf8();
            decoded.map_or_else(|_| name.to_owned(), Cow::into_owned)
        }
    }
}

/// The last segment that is not empty.
fn last_segment(key: &str) -> &str {
    let trimmed = key.trim_end_matches('/');
    trimmed.rsplit_once('/').map_or(trimmed, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(uri: &str) -> String {
        file_name(uri, &ObjectKeys::new())
    }

    #[test]
    fn the_name_is_the_objects_own() {
        for (uri, name) in [
            ("s3://b/d/a.csv", "a.csv"),
            ("s3://b/d/a b.csv", "a b.csv"),
            ("s3://b/d/my%20file%231.csv", "my file#1.csv"),
            ("s3://b/d/100%25.csv", "100%.csv"),
            ("s3://b/d/100%.csv", "100%.csv"),
            ("s3://b/d/dir/", "dir"),
            ("s3://b/d%2Fe", "e"),
            ("gs://b/a+b", "a+b"),
            ("http://h/r.csv?sig=abc/def.csv", "r.csv"),
            ("https://h/my%20r.csv#part", "my r.csv"),
            ("https://h/100%", "100%"),
            ("https://h/%ff.csv", "%ff.csv"),
            ("https://h/a%2Fb%00.csv", "a_b_.csv"),
            ("s3://b/a\0b", "a_b"),
            // Our own outputs.
            ("s3://b/raw/=o.a=23b", "o.a#b"),
            ("s3://b/raw/=x", "=x"),
        ] {
            assert_eq!(named(uri), name, "{uri}");
        }
        for uri in [
            "https://h/",
            "https://h",
            "s3://b",
            "s3://b/..",
            "s3://b/.",
            "https://h/%2e%2E?x",
        ] {
            assert_eq!(named(uri), "data", "{uri}");
        }
    }

    #[test]
    fn a_key_that_was_found_decides() {
        let keys = |key: &str| ObjectKeys::from([("s3://b/a%41#x".to_owned(), key.to_owned())]);
        assert_eq!(file_name("s3://b/a%41#x", &keys("a%41#x")), "a%41#x");
        assert_eq!(file_name("s3://b/a%41#x", &keys("aA")), "aA");
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let long = "é".repeat(200);
        for (extension, kept) in [
            (".csv", ".csv"),
            (".tar.gz", ".tar.gz"),
            ("", ""),
            (&*format!(".{}", "x".repeat(40)), ""),
        ] {
            let name = named(&format!("s3://b/{long}{extension}"));
            let expected = (LONGEST - kept.len()) / 2 * 2 + kept.len();
            assert_eq!(name.len(), expected, "{name}");
            assert!(name.starts_with('é') && name.ends_with(kept), "{name}");
        }
        assert_eq!(named(&format!("https://h/r.csv?{long}")), "r.csv");
    }
}
