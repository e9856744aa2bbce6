//! A store, or a proxy before it, that repeats our request in its error: the secrets of the request reach neither
//! the log, nor the last words, nor the termination message.

#![cfg(test)]

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot_tests::{binary, flags};

/// How the server puts the request's head into its error.
#[derive(Clone, Copy, Debug)]
enum Form {
    Plain,
    Xml,
    Json,
    Percent,
    Base64,
}

impl Form {
    const ALL: [Self; 5] = [
        Self::Plain,
        Self::Xml,
        Self::Json,
        Self::Percent,
        Self::Base64,
    ];

    fn body(self, head: &str) -> String {
        match self {
            Self::Plain => head.to_owned(),
            Self::Xml => {
                let head = head.replace('&', "&amp;").replace('<', "&lt;");
                format!("<Error><Code>Odd</Code><Message>{head}</Message></Error>")
            }
            Self::Json => serde_json::json!({"error": {"code": 400, "message": head}}).to_string(),
            Self::Percent => head.bytes().map(|byte| format!("%{byte:02X}")).fold(
                String::new(),
                |mut all, next| {
                    // What needs no sign stays, as encoders leave it.
                    let byte = u8::from_str_radix(&next[1..], 16).unwrap();
                    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                        all.push(char::from(byte));
                    } else {
                        all.push_str(&next);
                    }
                    all
                },
            ),
            Self::Base64 => BASE64_STANDARD.encode(head),
        }
    }
}

/// A server that repeats each request, and keeps the last head.
fn server(form: Form) -> (String, std::sync::Arc<std::sync::Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let last = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let kept = std::sync::Arc::clone(&last);
    // It ends with the test's process.
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let kept = std::sync::Arc::clone(&kept);
            thread::spawn(move || answer(connection, form, &kept));
        }
    });
    (format!("http://{address}"), last)
}

fn answer(mut connection: TcpStream, form: Form, kept: &std::sync::Mutex<String>) -> Option<()> {
    use std::io::Read as _;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let body = form.body(&head);
    *kept.lock().unwrap() = head;
    write!(
        connection,
        "HTTP/1.1 400 Bad Request\r\nx-amz-request-id: 7\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()
}

/// What no text may hold of a header's value.
fn secrets(head: &str) -> Vec<String> {
    let mut secrets = Vec::new();
    for line in head.lines() {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        match name.to_ascii_lowercase().as_str() {
            "authorization" => {
                let signature = value.rsplit_once("Signature=").or(value.rsplit_once(':'));
                let bearer = value.strip_prefix("Bearer ").map(|token| ("", token));
                secrets.push(bearer.or(signature).unwrap().1.to_owned());
            }
            "x-amz-security-token" | "x-gateway" => secrets.push(value.to_owned()),
            _ => {}
        }
    }
    if let Some((_, query)) = head.lines().next().unwrap_or_default().split_once("sig=") {
        let signature = query.split(['&', ' ']).next().unwrap();
        secrets.push(signature.to_owned());
        secrets.push(
            percent_encoding::percent_decode_str(signature)
                .decode_utf8_lossy()
                .into_owned(),
        );
    }
    secrets
}

fn stores(endpoint: &str) -> Vec<(&'static str, Vec<String>)> {
    let s3 = flags::stow(
        "s3",
        "data",
        &[
            ("auth_type", "accesskey"),
            ("region", "us-east-1"),
            ("endpoint", endpoint),
            ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
            ("secret_key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            ("token", "IQoJb3JpZ2luX2VjEPT//session+token/of+this+test=="),
        ],
    );
    let sas = flags::stow(
        "azure",
        "data",
        &[
            ("account", "me"),
            ("endpoint", endpoint),
            (
                "sas_token",
                "sv=2022-11-02&sp=rw&sig=c2lnbmF0dXJl%2Bof%2Fthis%2Btest%3D",
            ),
        ],
    );
    let key = flags::stow(
        "azure",
        "data",
        &[
            ("account", "me"),
            ("endpoint", endpoint),
            ("key", "a2V5IG9mIHRoaXMgdGVzdCwgbG9uZyBlbm91Z2g="),
        ],
    );
    vec![("s3", s3), ("abfs", sas), ("abfs", key)]
}

#[test]
fn what_a_store_repeats_of_our_request_shows_no_secret() {
    for form in Form::ALL {
        let (endpoint, last) = server(form);
        for (scheme, flags) in stores(&endpoint) {
            let directory = tempfile::tempdir().unwrap();
            let config = directory.path().join("headers.yaml");
            let header =
                "storage: {defaultHttpClient: {headers: {x-gateway: a-key-of-the-gateway}}}\n";
            fs::write(&config, header).unwrap();
            let message = directory.path().join("message");
            fs::write(&message, "").unwrap();
            let authority = if scheme == "abfs" {
                "data@me.dfs.core.windows.net"
            } else {
                "data"
            };
            let mut command: Command = binary::command();
            command
                .args(flags)
                .args(["--config", config.to_str().unwrap(), "--logger.level=5"])
                .args(["--termination-log", message.to_str().unwrap(), "download"])
                .arg(format!("--from-remote={scheme}://{authority}/in.pb"))
                .arg(format!("--to-output-prefix={scheme}://{authority}/out"))
                .arg("--to-local-dir")
                .arg(directory.path().join("in"));
            let ended = binary::run(&mut command);
            assert_ne!(ended.code(), 0, "{}", ended.stderr);
            let head = last.lock().unwrap().clone();
            let secrets = secrets(&head);
            assert!(secrets.len() > 1, "{form:?} {scheme}: {head}");
            let said = format!("{}{}", ended.stderr, fs::read_to_string(&message).unwrap());
            assert!(said.contains("400"), "{form:?} {scheme}: {said}");
            assert!(said.contains("(hidden)"), "{form:?} {scheme}: {said}");
            for secret in secrets {
                // Also no part of it: a message may be cut.
                for begin in (0..secret.len().saturating_sub(12)).step_by(4) {
                    let part = &secret[begin..begin + 12];
                    assert!(
                        !said.contains(part),
                        "{form:?} {scheme}: {part} of {secret} in {said}"
                    );
                }
            }
        }
    }
}
