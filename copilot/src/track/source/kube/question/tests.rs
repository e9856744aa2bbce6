//! Servers that mean us ill.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use super::*;
use crate::track::source::kube::way::{Way, address};

const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A server that answers each request so.
fn serve(answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("somebody asks");
            let mut head = [0; 4096];
            let _ = connection.read(&mut head);
            // It ends when the client has had enough.
            let _ = answer(&mut connection);
        }
    });
    address
}

fn question(server: SocketAddr, limit: Duration) -> Question {
    let server = address("--server", &server.to_string()).expect("it is an address");
    let client = Client::new(Way::to(server)).expect("it is ready");
    Question::new(client, "flyte", "pod", Some(limit))
}

fn endless(connection: &mut TcpStream) -> std::io::Result<()> {
    connection.write_all(HEAD.as_bytes())?;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    loop {
        connection.write_all(chunk.as_bytes())?;
    }
}

#[tokio::test]
async fn what_has_no_end_is_cut_off() {
    let minute = Duration::from_mins(1);
    let question = question(serve(endless), minute);
    let Err(trouble) = question.list().await else {
        panic!("a list was read");
    };
    assert_eq!(trouble.kind, Kind::Unreachable);
    assert!(
        trouble.to_string().contains("more than 4194304 bytes"),
        "{trouble}"
    );
    let mut changes = question.watch("1").await.expect("a watch begins");
    let change = timeout(minute, changes.next())
        .await
        .expect("it is cut off");
    let Some(Err(trouble)) = change else {
        panic!("a change was read");
    };
    assert!(
        trouble.to_string().contains("more than 4194304 bytes"),
        "{trouble}"
    );
}

#[tokio::test]
async fn a_refusal_without_an_end_is_told_by_its_status() {
    let server = serve(|connection| {
        connection.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n")?;
        loop {
            connection.write_all(&[b'x'; 4096])?;
        }
    });
    let answer = question(server, Duration::from_mins(1)).list().await;
    let trouble = answer.err().expect("it is refused");
    assert_eq!(trouble.kind, Kind::Denied, "{trouble}");
}

#[tokio::test]
async fn the_deadline_is_for_the_body_as_well() {
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
        let answer = question(server, limit).list().await;
        let trouble = answer.err().expect("it never ends");
        assert_eq!(trouble, Trouble::silence(limit));
    }
}

#[test]
fn any_time_is_not_for_ever() {
    let server = address("--server", "127.0.0.1:9").expect("it is an address");
    let client = Client::new(Way::to(server)).expect("it is ready");
    let question = Question::new(client, "flyte", "pod", None);
    assert_eq!(question.limit, ANY_TIME);
}
