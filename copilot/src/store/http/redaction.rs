//! The secrets that one request carries. A server that repeats the request in its error must not bring them into
//! a log. Caller: `client`.

use http::HeaderMap;
use object_store::client::HttpRequest;
use percent_encoding::percent_decode_str;

use crate::config::secret::{Secret, known};

/// A signature is longer, and a shorter text says little.
const SHORTEST: usize = 8;

/// Longest body that is searched: those that carry secrets ask for tokens.
const BODY_LIMIT: usize = 64 * 1024;

/// Words in the name of a header or parameter that say that its value is a secret.
const TELLING: [&str; 9] = [
    "auth",
    "token",
    "secret",
    "password",
    "signature",
    "assertion",
    "cookie",
    "credential",
    "key",
];

/// What must not come back.
#[derive(Debug, Default)]
pub(super) struct RequestSecrets(Vec<Secret>);

impl RequestSecrets {
    /// Those of a request that has been authorized.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let mut secrets = Self::default();
        secrets.add_headers(request.headers());
        secrets.add_pairs(request.uri().query().unwrap_or_default());
        let body = request.body().as_bytes();
        let body = body.filter(|body| body.len() <= BODY_LIMIT && is_form(request.headers()));
        if let Some(form) = body.and_then(|body| std::str::from_utf8(body).ok()) {
            secrets.add_pairs(form);
        }
        secrets
    }

    /// A text of the answer without them.
    pub(super) fn hide(&self, text: &str) -> String {
        known::hide(text, &self.0)
    }

    fn add(&mut self, text: &str) {
        if text.len() >= SHORTEST {
            self.0.push(text.into());
        }
    }

    fn add_headers(&mut self, headers: &HeaderMap) {
        for (name, value) in headers {
            let Ok(value) = value.to_str() else { continue };
            let is_secret = headers[name].is_sensitive() || is_telling(name.as_str());
            if !is_secret {
                continue;
            }
            self.add(value);
            // `Bearer TOKEN`, `SharedKey ACCOUNT:SIGNATURE`, `AWS4-HMAC-SHA256 …, Signature=SIGNATURE`.
            for part in value.split([' ', ',']) {
                if part.starts_with("Credential=") || part.starts_with("SignedHeaders=") {
                    // They say who we are and what is signed, and help to find a mistake.
                    continue;
                }
                self.add(part);
                // Base64 may end in `=`, so both signs are tried.
                for sign in ['=', ':'] {
                    self.add(part.split_once(sign).map_or("", |(_, inner)| inner));
                }
            }
        }
    }

    /// The pairs of a query or form.
    fn add_pairs(&mut self, text: &str) {
        for pair in text.split('&') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            if name == "sig" || is_telling(name) {
                self.add(value);
                let decoded = percent_decode_str(value).decode_utf8_lossy();
                self.add(&decoded);
            }
        }
    }
}

fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // The version 4 of AWS's signature names its scope so; the account of a request is not secret.
    name != "x-amz-credential" && TELLING.iter().any(|word| name.contains(word))
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(http::header::CONTENT_TYPE);
    kind.is_some_and(|kind| {
        kind.as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)], query: &str, form: &str) -> HttpRequest {
        let mut request = HttpRequest::new(form.to_owned().into());
        *request.uri_mut() = format!("http://store/b/k?{query}").parse().unwrap();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn what_a_request_carries_does_not_come_back() {
        let form = ("content-type", "application/x-www-form-urlencoded");
        for (headers, query, body, secrets) in [
            (
                &[
                    (
                        "authorization",
                        "AWS4-HMAC-SHA256 Credential=AKIA/2026/s3, SignedHeaders=host, Signature=0123456789abcdef",
                    ),
                    ("x-amz-security-token", "hunter2hunter2"),
                ][..],
                "",
                "",
                &["0123456789abcdef", "hunter2hunter2"][..],
            ),
            (
                &[("authorization", "Bearer hunter2hunter2")],
                "",
                "",
                &["hunter2hunter2"],
            ),
            (
                &[("authorization", "SharedKey me:aHVudGVyMg==")],
                "",
                "",
                &["aHVudGVyMg=="],
            ),
            (
                &[],
                "se=2026&sig=hunter2%2Fhunter2%3D&sp=r",
                "",
                &["hunter2%2Fhunter2%3D", "hunter2/hunter2="],
            ),
            (
                &[
                    ("x-api-key", "hunter2hunter2"),
                    ("cookie", "id=hunter2hunter3"),
                ],
                "",
                "",
                &["hunter2hunter2", "hunter2hunter3"],
            ),
            (
                &[form],
                "",
                "grant_type=x&client_secret=hunter2hunter2&assertion=aa.bbbbbbb.cc",
                &["hunter2hunter2", "aa.bbbbbbb.cc"],
            ),
        ] {
            let found = RequestSecrets::of(&request(headers, query, body));
            for secret in secrets {
                let shown = found.hide(&format!("you sent {secret}!"));
                assert_eq!(shown, "you sent (hidden)!", "{secret}");
            }
            assert!(!format!("{found:?}").contains("hunter2"));
        }
        let plain = request(
            &[("content-type", "text/plain"), ("range", "bytes=0-1234567")],
            "list-type=2&prefix=abcdefghij",
            "",
        );
        let shown = RequestSecrets::of(&plain).hide("bytes=0-1234567 abcdefghij");
        assert_eq!(shown, "bytes=0-1234567 abcdefghij");
    }
}
