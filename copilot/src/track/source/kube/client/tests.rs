use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    sync::mpsc::{Receiver, channel},
    thread,
};

use super::*;
use crate::track::source::kube::{
    Secret,
    api_config::{Login, address},
};

/// A server that answers its requests one after the other, each on a connection of its own, and passes
/// on the heads of the requests.
fn serve(
    mut answer: impl FnMut(usize) -> &'static str + Send + 'static,
) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let (heads, log) = channel();
    thread::spawn(move || {
        for (count, connection) in listener.incoming().enumerate() {
            let mut connection = connection.expect("a client connects");
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let status = answer(count);
            let text =
                format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
            // The test may have ended already.
            let _ = heads.send(String::from_utf8_lossy(&head).into_owned());
            let _ = connection.write_all(text.as_bytes());
        }
    });
    (address, log)
}

fn request() -> Request<Vec<u8>> {
    Request::get("/api/v1/pods?watch=true")
        .body(Vec::new())
        .expect("it is a request")
}

fn config(server: SocketAddr, login: Login) -> ApiConfig {
    let server = address("--server", &server.to_string()).expect("it is an address");
    ApiConfig {
        login,
        ..ApiConfig::new(server)
    }
}

/// The values of a header in the requests so far.
fn sent(log: &Receiver<String>, header: &str) -> Vec<String> {
    let value = |head: String| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(name, _)| name.eq_ignore_ascii_case(header));
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    log.try_iter().map(value).collect()
}

#[tokio::test]
async fn a_token_that_is_renewed_during_a_request_is_read_again_and_sent_once_more() {
    let directory = tempfile::tempdir().expect("it can be made");
    let path = directory.path().join("token");
    for (renewals, expected, status) in [
        (0, &["Bearer 0"][..], 401),
        (1, &["Bearer 0", "Bearer 1"], 200),
        // A second refusal is final.
        (2, &["Bearer 0", "Bearer 1"], 401),
    ] {
        fs::write(&path, "0").expect("it can be written");
        let file = path.clone();
        let (server, log) = serve(move |count| {
            if count < renewals {
                fs::write(&file, (count + 1).to_string()).expect("it can be written");
            }
            if count == 1 && renewals == 1 {
                "200 OK"
            } else {
                "401 Unauthorized"
            }
        });
        let client =
            ApiClient::new(config(server, Login::TokenFile(path.clone()))).expect("it is ready");
        let answer = client.send(&request()).await.expect("there is an answer");
        assert_eq!(answer.status(), status);
        assert_eq!(sent(&log, "authorization"), expected);
    }
}

#[tokio::test]
async fn a_renewed_token_is_sent_with_the_next_request() {
    let directory = tempfile::tempdir().expect("it can be made");
    let path = directory.path().join("token");
    let (server, log) = serve(|_| "200 OK");
    fs::write(&path, "first\n").expect("it can be written");
    let client =
        ApiClient::new(config(server, Login::TokenFile(path.clone()))).expect("it is ready");
    for token in ["first", "second"] {
        fs::write(&path, token).expect("it can be written");
        client.send(&request()).await.expect("there is an answer");
    }
    assert_eq!(
        sent(&log, "authorization"),
        ["Bearer first", "Bearer second"]
    );
}

#[tokio::test]
async fn a_fixed_token_that_is_refused_is_not_sent_again() {
    let (server, log) = serve(|_| "401 Unauthorized");
    let login = Login::Token(Secret::from("t"));
    let client = ApiClient::new(config(server, login)).expect("it is ready");
    let answer = client.send(&request()).await.expect("there is an answer");
    assert_eq!(answer.status(), 401);
    assert_eq!(sent(&log, "authorization"), ["Bearer t"]);
}

#[tokio::test]
async fn a_request_has_the_servers_path_and_the_impersonated_user() {
    let (server, log) = serve(|_| "200 OK");
    let mut config = config(server, Login::Anonymous);
    config.server = format!("http://{server}/below/")
        .parse()
        .expect("it is one");
    config
        .act_as("impersonate-user", "me")
        .expect("it is a header");
    for group in ["a", "b"] {
        config
            .act_as("impersonate-group", group)
            .expect("it is a header");
    }
    assert!(config.act_as("impersonate-uid", "a\nb").is_err());
    let client = ApiClient::new(config).expect("it is ready");
    client.send(&request()).await.expect("there is an answer");
    let head = log.recv().expect("it was asked").to_lowercase();
    assert!(
        head.starts_with("get /below/api/v1/pods?watch=true http/1.1\r\n"),
        "{head}"
    );
    for header in [
        &format!("host: {server}"),
        "accept: application/json",
        "impersonate-user: me",
        "impersonate-group: a",
        "impersonate-group: b",
    ] {
        assert!(
            head.contains(&format!("\r\n{header}\r\n")),
            "{header}: {head}"
        );
    }
    assert!(!head.contains("authorization"), "{head}");
}
