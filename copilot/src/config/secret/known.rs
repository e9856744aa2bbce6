//! The secrets that this process uses, and their removal from texts that come from outside: a store, a proxy or
//! an API may repeat what we sent in its error. Callers: `store::http` and the watcher `kube-api`, where such
//! texts enter; all code that reads a secret [`remember`]s it.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{HIDDEN, Secret};

/// A shorter text would hide ordinary words.
const SHORTEST: usize = 8;

/// Credentials are renewed; the oldest are forgotten. Far more than one run uses at once.
const MOST: usize = 64;

static KNOWN: Mutex<Vec<Secret>> = Mutex::new(Vec::new());

/// Notes a secret.
pub(crate) fn remember(secret: &str) {
    let secret = secret.trim();
    if secret.len() < SHORTEST {
        return;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if !known.iter().any(|other| **other == *secret) {
        if known.len() == MOST {
            known.remove(0);
        }
        known.push(secret.into());
    }
}

/// A text from outside without the secrets that we know, and without `others`: as they are, percent-encoded, in
/// base64 (also as a part of something longer), in hexadecimal, and the beginning of one at the text's end.
pub(crate) fn hide(text: &str, others: &[Secret]) -> String {
    let mut shown = text.to_owned();
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut secrets: Vec<&Secret> = known.iter().chain(others).collect();
    // One may be a part of another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets.into_iter().filter(|it| it.len() >= SHORTEST) {
        for form in forms(secret) {
            if shown.contains(&*form) {
                shown = shown.replace(&*form, HIDDEN);
            }
            hide_beginning(&mut shown, &form);
        }
    }
    shown
}

/// A secret may have been cut together with the text.
fn hide_beginning(shown: &mut String, form: &str) {
    let longest = form.len().min(shown.len());
    let cut = (SHORTEST..longest)
        .rev()
        .find(|length| form.is_char_boundary(*length) && shown.ends_with(&form[..*length]));
    if let Some(length) = cut {
        shown.truncate(shown.len() - length);
        shown.push_str(HIDDEN);
    }
}

/// How a secret may stand in a text.
fn forms(secret: &str) -> Vec<Secret> {
    let bytes = secret.as_bytes();
    let percent = |keeps: &str, upper: bool| {
        let mut text = String::new();
        for byte in bytes {
            let letter = char::from(*byte);
            if letter.is_ascii_alphanumeric() || keeps.contains(letter) {
                text.push(letter);
            } else {
                text.push('%');
                text.push_str(&hexadecimal(&[*byte], upper));
            }
        }
        text
    };
    let mut forms = vec![secret.to_owned(), secret.replace('/', "\\/")];
    for keeps in ["", "-._~", "-._~/", "-._~=", "-._~/=+:"] {
        forms.extend([percent(keeps, true), percent(keeps, false)]);
    }
    forms.extend([hexadecimal(bytes, true), hexadecimal(bytes, false)]);
    for shift in 0..3 {
        let core = base64_core(bytes, shift);
        forms.push(core.replace('+', "-").replace('/', "_"));
        forms.push(core);
    }
    forms.sort();
    forms.dedup();
    forms.retain(|form| form.len() >= SHORTEST);
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.into_iter().map(Secret::from).collect()
}

fn hexadecimal(bytes: &[u8], upper: bool) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a text never fails.
        let _ = if upper {
            write!(text, "{byte:02X}")
        } else {
            write!(text, "{byte:02x}")
        };
    }
    text
}

/// What base64 makes of a secret that stands `shift` bytes after a multiple of three, without the letters that
/// its neighbours decide as well.
fn base64_core(secret: &[u8], shift: usize) -> String {
    let mut bytes = vec![0; shift];
    bytes.extend(secret);
    let encoded = BASE64_STANDARD.encode(&bytes);
    let first = (shift * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    encoded[first..last.max(first)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE};
    use proptest::prelude::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY=";

    fn hidden(text: &str) -> String {
        hide(text, &[SECRET.into()])
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        for text in [
            SECRET.to_owned(),
            "wJalrXUtnFEMI%2FK7MDENG%2BbPxRfiCY%3D".to_owned(),
            "wJalrXUtnFEMI%2fK7MDENG%2bbPxRfiCY%3d".to_owned(),
            "wJalrXUtnFEMI/K7MDENG%2BbPxRfiCY%3D".to_owned(),
            "wJalrXUtnFEMI\\/K7MDENG+bPxRfiCY=".to_owned(),
            BASE64_STANDARD.encode(SECRET),
            BASE64_URL_SAFE.encode(SECRET),
            hexadecimal(SECRET.as_bytes(), false),
        ] {
            let shown = hidden(&format!("<{text}> and again: {text}"));
            assert!(shown.starts_with("<(hidden)"), "{shown}");
            assert!(!shown.contains(&text[..12]), "{shown}");
        }
        // Cut in the middle.
        assert_eq!(hidden("key wJalrXUtnFEMI"), "key (hidden)");
        assert_eq!(hidden("nothing secret"), "nothing secret");
    }

    #[test]
    fn what_is_remembered_is_hidden_everywhere() {
        remember("remembered-for-this-test");
        remember("short");
        assert_eq!(
            hide("x remembered-for-this-test, short", &[]),
            "x (hidden), short"
        );
    }

    proptest! {
        /// Base64 of a whole block of headers, at any place in it.
        #[test]
        fn base64_of_something_longer_is_found(before in ".{0,20}", after in ".{0,20}") {
            let block = format!("{before}{SECRET}{after}");
            for encoded in [BASE64_STANDARD_NO_PAD.encode(&block), BASE64_URL_SAFE.encode(&block)] {
                let shown = hidden(&encoded);
                prop_assert!(shown.contains(HIDDEN), "{}", shown);
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>(), secret in any::<String>()) {
            let _ = hide(&text, &[secret.into()]);
        }
    }
}
