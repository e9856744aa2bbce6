//! Malicious and broken servers.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use super::*;
use crate::track::source::kube::api_config::{ApiConfig, address};

const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A server that answers each request with `answer`.
fn serve(answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a client connects");
            let mut head = [0; 4096];
            let _ = connection.read(&mut head);
            // It fails when the client closes the connection.
            let _ = answer(&mut connection);
        }
    });
    address
}

fn query(server: SocketAddr, limit: Duration) -> PodQuery {
    let server = address("--server", &server.to_string()).expect("it is an address");
    let client = ApiClient::new(ApiConfig::new(server)).expect("it is ready");
    PodQuery::new(client, "flyte", "pod", Some(limit))
}

fn endless(connection: &mut TcpStream) -> std::io::Result<()> {
    connection.write_all(HEAD.as_bytes())?;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    loop {
        connection.write_all(chunk.as_bytes())?;
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let minute = Duration::from_mins(1);
    let query = query(serve(endless), minute);
    let Err(error) = query.list().await else {
        panic!("a list was read");
    };
    assert_eq!(error.kind, RequestErrorKind::Unreachable);
    assert!(
        error.to_string().contains("more than 4194304 bytes"),
        "{error}"
    );
    assert!(error.source().is_some(), "{error:?}");
    let mut changes = query.watch("1").await.expect("a watch begins");
    let change = timeout(minute, changes.next())
        .await
        .expect("it is cut off");
    let Some(Err(error)) = change else {
        panic!("a change was read");
    };
    assert!(
        error.to_string().contains("more than 4194304 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn an_endless_refusal_is_recognized_by_its_status() {
    let server = serve(|connection| {
        connection.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n")?;
        loop {
            connection.write_all(&[b'x'; 4096])?;
        }
    });
    let answer = query(server, Duration::from_mins(1)).list().await;
    let error = answer.err().expect("it is refused");
    assert_eq!(error.kind, RequestErrorKind::Denied, "{error}");
}

#[tokio::test]
async fn the_deadline_covers_the_body_as_well() {
    let limit = Duration::from_millis(300);
    for answer in [
        |connection: &mut TcpStream| connection.write_all(b"HTTP/1.1 200"),
        |connection: &mut TcpStream| {
            connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
        },
        |connection: &mut TcpStream| {
            connection.write_all(b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n{")
        },
    ] {
        let server = serve(move |connection| {
            answer(connection)?;
            thread::sleep(Duration::from_secs(5));
            Ok(())
        });
        let answer = query(server, limit).list().await;
        let error = answer.err().expect("it never ends");
        let expected = RequestError::timeout(limit);
        assert_eq!(error.kind, expected.kind);
        assert_eq!(error.to_string(), expected.to_string());
    }
}

#[test]
fn any_time_has_an_end() {
    let server = address("--server", "127.0.0.1:9").expect("it is an address");
    let client = ApiClient::new(ApiConfig::new(server)).expect("it is ready");
    let query = PodQuery::new(client, "flyte", "pod", None);
    assert_eq!(query.limit, ANY_TIME);
}
