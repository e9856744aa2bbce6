//! Where secrets stand on the command line. Every process that sees ours reads our arguments, so `main` overwrites
//! these parts. This looks at the text alone, before it is parsed, and rather hides too much: a command line
//! that we refuse shows its secrets as well.

use std::ffi::OsString;
use std::iter;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;

use super::flags;
use crate::config::{Key, secret_parts};
use crate::confine::arguments::ArgumentPart;

/// Words in a name that we do not know, which say that its value is a secret.
const TELLING: [&str; 9] = [
    "secret",
    "password",
    "passwd",
    "token",
    "credential",
    "signature",
    "access-key",
    "access_key",
    "connection_string",
];

/// The parts of `arguments`, the program's name included, that hold secrets.
#[must_use]
pub fn secrets(arguments: &[OsString]) -> Vec<ArgumentPart> {
    let mut parts = Vec::new();
    // The flag whose value this argument may be.
    let mut before: Option<String> = None;
    for (argument, text) in arguments.iter().enumerate().skip(1) {
        let text = text.as_bytes();
        let mut hide = |bytes: Range<usize>, offset: usize| {
            if !bytes.is_empty() {
                parts.push(ArgumentPart {
                    argument,
                    bytes: bytes.start + offset..bytes.end + offset,
                });
            }
        };
        if let Some(flag) = before.take() {
            for part in of_value(&flag, text) {
                hide(part, 0);
            }
        }
        if let Some(flag) = text.strip_prefix(b"--") {
            match flag.iter().position(|byte| *byte == b'=') {
                Some(at) => {
                    let (name, value) = (name(&flag[..at]), &flag[at + 1..]);
                    let offset = text.len() - value.len();
                    for part in of_value(&name, value) {
                        hide(part, offset);
                    }
                }
                None => before = Some(name(flag)),
            }
        }
        for part in of_addresses(text) {
            hide(part, 0);
        }
    }
    parts
}

/// A word that no flag takes, without what may be secret: the part behind a `=`, and a user in an address.
pub(super) fn masked(word: &str) -> String {
    if let Some((before, _)) = word.split_once('=') {
        return format!("{before}=…");
    }
    let mut bytes = word.as_bytes().to_vec();
    for part in of_addresses(word.as_bytes()) {
        bytes[part].fill(b'*');
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn name(flag: &[u8]) -> String {
    String::from_utf8_lossy(flag).to_ascii_lowercase()
}

/// The secret parts of a flag's value.
fn of_value(flag: &str, value: &[u8]) -> Vec<Range<usize>> {
    match Key::find(flag) {
        Some(key) => secret_parts(key, value),
        None if flags::is_secret(flag) || is_telling(flag) => iter::once(0..value.len()).collect(),
        None => Vec::new(),
    }
}

/// Whether a name says that its value is a secret. Names that end in `-file` or `-path` name files.
fn is_telling(name: &str) -> bool {
    let is_file = ["file", "path", "name"]
        .iter()
        .any(|end| name.ends_with(end));
    !is_file && TELLING.iter().any(|word| name.contains(word))
}

/// The user part of an address, and the values of a query that sign it.
fn of_addresses(text: &[u8]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let Some(scheme) = text.windows(3).position(|window| window == b"://") else {
        return parts;
    };
    let begin = scheme + 3;
    let rest = &text[begin..];
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let authority = &rest[..end.unwrap_or(rest.len())];
    if let Some(at) = authority.iter().rposition(|byte| *byte == b'@') {
        // The user alone may be a token; in Azure's references it is the container.
        let scheme = text[..scheme].to_ascii_lowercase();
        let is_web = scheme.ends_with(b"http") || scheme.ends_with(b"https");
        match authority[..at].iter().position(|byte| *byte == b':') {
            Some(colon) => parts.push(begin + colon + 1..begin + at),
            None if is_web => parts.push(begin..begin + at),
            None => {}
        }
    }
    if let Some(query) = rest.iter().position(|byte| *byte == b'?') {
        let mut at = begin + query + 1;
        for pair in rest[query + 1..].split(|byte| *byte == b'&') {
            if let Some(equals) = pair.iter().position(|byte| *byte == b'=') {
                let name = name(&pair[..equals]);
                if name == "sig" || is_telling(&name) {
                    parts.push(at + equals + 1..at + pair.len());
                }
            }
            at += pair.len() + 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(arguments: &[&str]) -> Vec<String> {
        let whole = ["copilot"].iter().chain(arguments);
        let whole: Vec<OsString> = whole.map(OsString::from).collect();
        let mut shown: Vec<Vec<u8>> = whole.iter().map(|text| text.as_bytes().to_vec()).collect();
        for part in secrets(&whole) {
            shown[part.argument][part.bytes].fill(b'*');
        }
        let shown = shown.into_iter().skip(1);
        shown
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .collect()
    }

    #[test]
    fn only_secrets_are_hidden() {
        for (arguments, expected) in [
            (
                &["sidecar", "--storage.stow.config", "secret_key=hunter2"][..],
                &["sidecar", "--storage.stow.config", "secret_key=*******"][..],
            ),
            (
                &[
                    "--storage.stow.config=region=x,secret_key=hunter2",
                    "download",
                ],
                &[
                    "--storage.stow.config=region=x,secret_key=*******",
                    "download",
                ],
            ),
            (
                &["--STORAGE.CONNECTION.secret-key", "hunter2", "ready"],
                &["--STORAGE.CONNECTION.secret-key", "*******", "ready"],
            ),
            (
                &[
                    "--storage.connection.access-key=hunter2",
                    "--token=hunter2",
                    "--password",
                    "--x",
                ],
                &[
                    "--storage.connection.access-key=*******",
                    "--token=*******",
                    "--password",
                    "***",
                ],
            ),
            // The flag is one that we do not have.
            (
                &[
                    "--storage.stow.config.secret_key=hunter2",
                    "--client-secret",
                    "hunter2",
                ],
                &[
                    "--storage.stow.config.secret_key=*******",
                    "--client-secret",
                    "*******",
                ],
            ),
            (
                &[
                    "-o",
                    "s3://b/out",
                    "--from-local-dir",
                    "/secret",
                    "--meta-output-name",
                    "token",
                ],
                &[
                    "-o",
                    "s3://b/out",
                    "--from-local-dir",
                    "/secret",
                    "--meta-output-name",
                    "token",
                ],
            ),
            (
                &[
                    "--server",
                    "https://me:hunter2@host:6443/x",
                    "-x",
                    "abfs://c@a.dfs.core.windows.net/p",
                ],
                &[
                    "--server",
                    "https://me:*******@host:6443/x",
                    "-x",
                    "abfs://c@a.dfs.core.windows.net/p",
                ],
            ),
            (
                &["--server=HTTPS://hunter2@host"],
                &["--server=HTTPS://*******@host"],
            ),
            (
                &["-d", "https://h/o?se=1&sig=hunter2&X-Amz-Signature=ab&sp=r"],
                &["-d", "https://h/o?se=1&sig=*******&X-Amz-Signature=**&sp=r"],
            ),
        ] {
            assert_eq!(shown(arguments), expected, "{arguments:?}");
        }
    }

    #[test]
    fn a_stray_word_is_named_without_its_secrets() {
        for (word, shown) in [
            ("dowload", "dowload"),
            ("secret_key=hunter2", "secret_key=…"),
            ("https://me:hunter2@host/x", "https://me:*******@host/x"),
        ] {
            assert_eq!(masked(word), shown);
        }
    }

    #[test]
    fn a_text_that_is_not_utf8_has_secrets_too() {
        use std::os::unix::ffi::OsStringExt as _;
        let arguments = [
            OsString::from("copilot"),
            OsString::from_vec(b"--storage.stow.config=secret_key=\xff\xfe".to_vec()),
        ];
        let parts = secrets(&arguments);
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].bytes, 33..35);
    }
}
