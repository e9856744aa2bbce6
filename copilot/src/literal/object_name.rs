//! Names of objects: safe names for what not every reader of a reference finds (ours).
//!
//! A name that [`is_portable`] stays as it is. In any other name the characters that some reader takes for
//! syntax become `=` and two hexadecimal digits for each byte, as in quoted-printable text (RFC 2045
//! §6.7), and the name begins with a further `=`: `100%.csv` becomes `=100=25.csv`. A name that begins with
//! `=` anyway is written in the same way, so two names never become one. Outputs get such names, and a
//! file that is named like its object gets the first name back.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::percent_decode_str;

use crate::store::is_portable;

/// The mark of a name that is written in this way, and of each escape in it.
const MARK: char = '=';

/// The object's name for a file's name: one segment of a reference.
#[must_use]
pub fn object_name(name: &str) -> Cow<'_, str> {
    if is_portable(name) && !name.starts_with(MARK) {
        return name.into();
    }
    let mut safe = String::from(MARK);
    let mut last = None;
    for c in name.chars() {
        let mut bytes = [0; 4];
        let text = c.encode_utf8(&mut bytes);
        let is_chain = c == ':' && last == Some(':');
        if c == MARK || is_chain || !is_portable(text) {
            for byte in text.bytes() {
                // Writing to a text cannot fail.
                let _ = write!(safe, "{MARK}{byte:02X}");
            }
        } else {
            safe.push(c);
        }
        last = Some(c);
    }
    safe.into()
}

/// The name of the file that [`object_name`] made this of; the object's name itself, if it is not such a
/// name.
pub fn original_name(object: &str) -> Cow<'_, str> {
    // What is not of ours may hold `%`.
    let quoted = object.strip_prefix(MARK).filter(|name| !name.contains('%'));
    let escaped = quoted.map(|name| name.replace(MARK, "%"));
    let name = escaped.and_then(|escaped| {
        let name = percent_decode_str(&escaped).decode_utf8().ok()?;
        Some(name.into_owned())
    });
    match name {
        Some(name) if object_name(&name) == object => name.into(),
        _ => object.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_names_stay_and_others_are_quoted() {
        for name in ["o.csv", "a b", "é", "a=b", "~x", "a:b", "]", "{}", "a'b(c)"] {
            assert_eq!(object_name(name), name);
        }
        for (name, expected) in [
            ("100%.csv", "=100=25.csv"),
            ("a#b", "=a=23b"),
            ("a?b", "=a=3Fb"),
            ("%41", "==2541"),
            ("[x]*", "==5Bx]=2A"),
            ("a\nb\u{7f}", "=a=0Ab=7F"),
            ("std::vector", "=std:=3Avector"),
            (":::", "=:=3A=3A"),
            ("=a", "==3Da"),
            ("a=b#", "=a=3Db=23"),
        ] {
            assert_eq!(object_name(name), expected);
            assert_eq!(original_name(expected), name);
        }
    }

    #[test]
    fn other_names_that_begin_alike_are_kept() {
        for name in [
            "=", "=x.csv", "=a=2", "=a=zz", "=a=2fb", "=a=41", "==", "=a%23=23", "==FF=23",
        ] {
            assert_eq!(original_name(name), name);
        }
    }

    proptest! {
        /// What two names become is different, and portable.
        #[test]
        fn two_names_never_become_one(names in prop::collection::vec("[=%#a:?\\[*\n0-9A-F]{0,6}|\\PC{0,4}", 2..40)) {
            let mut seen: HashMap<String, String> = HashMap::new();
            for name in names {
                let object = object_name(&name).into_owned();
                prop_assert_eq!(original_name(&object), &*name);
                prop_assert!(is_portable(&object), "{:?}", object);
                let other = seen.entry(object).or_insert_with(|| name.clone());
                prop_assert_eq!(&*other, &name);
            }
        }
    }
}
