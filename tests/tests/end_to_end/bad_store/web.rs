//! Inputs from web servers: every answer without the data is an error that names it.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use copilot::config::StorageSettings;
use copilot::store::{Network, Reference, Retry, Stores};
use copilot::transfer::{Copy, Engine, TransferLimits};
use copilot_tests::background::Background;
use copilot_tests::site::{closed_environment, names, place, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What a server does with every request.
#[derive(Clone, Copy)]
enum Server {
    /// It sends this and closes the connection.
    Says(&'static str),
    /// It sends this and then keeps silent.
    Stalls(&'static str),
}

fn serve(server: Server) -> Background {
    Background::start("web", move |mut connection| async move {
        let mut head = vec![0; 64 * 1024];
        let _ = connection.read(&mut head).await;
        let (Server::Says(text) | Server::Stalls(text)) = server;
        let _ = connection.write_all(text.as_bytes()).await;
        if let Server::Stalls(_) = server {
            while connection.read(&mut head).await.unwrap_or(0) > 0 {}
        }
    })
    .unwrap()
}

/// A client with short timeouts.
fn engine() -> Engine {
    let network = Network {
        // Short, and enough for a server on a busy machine.
        stall_timeout: Duration::from_secs(2),
        retry: Retry {
            attempts: 3,
            base: Duration::from_millis(5),
            retry_after: Duration::from_millis(50),
            known_elapsed: Duration::from_millis(50),
            ..Retry::default()
        },
        ..Network::default()
    };
    let stores = Stores::new(StorageSettings::default(), network, closed_environment());
    Engine::new(Arc::new(stores), TransferLimits::within(None))
}

#[tokio::test]
async fn an_answer_without_data_is_an_error() {
    use Server::{Says, Stalls};
    for (server, recoverable, says) in [
        (
            Says("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"),
            Some(false),
            "403",
        ),
        (
            Says("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
            Some(false),
            "404",
        ),
        (
            Says("HTTP/1.1 429 No\r\nContent-Length: 0\r\nRetry-After: 600\r\n\r\n"),
            Some(true),
            "429",
        ),
        (
            Says("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
            Some(true),
            "500",
        ),
        (
            Says("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"),
            Some(true),
            "503",
        ),
        (
            Says("HTTP/1.1 302 Go\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
            Some(false),
            "redirects",
        ),
        (
            Says("HTTP/1.1 302 Go\r\nContent-Length: 0\r\n\r\n"),
            Some(false),
            "302",
        ),
        (Says("HTTP/1.1 204 None\r\n\r\n"), Some(false), "204"),
        (
            Says("HTTP/1.1 206 Part\r\nContent-Length: 1\r\n\r\nx"),
            Some(false),
            "Content-Range",
        ),
        // The announced length is greater than the data.
        (
            Says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"),
            Some(true),
            "cannot be reached",
        ),
        (
            Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"),
            Some(true),
            "cannot be reached",
        ),
        (
            Says("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nshort"),
            Some(false),
            "does not answer as a web server does",
        ),
        (
            Says("garbage"),
            Some(false),
            "does not answer as a web server does",
        ),
        (Says(""), Some(true), "cannot be reached"),
        (Stalls(""), Some(true), "nothing moved"),
        (
            Stalls("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"),
            Some(true),
            "nothing moved",
        ),
    ] {
        let web = serve(server);
        let dir = tempfile::tempdir().unwrap();
        let address = format!("http://{}/some/file", web.address());
        let copy = Copy::Download {
            from: Reference::parse(&address).unwrap(),
            to: place(&dir.path().join("in/file")),
            size: None,
        };
        let error = run(&engine(), vec![copy]).await.unwrap_err();
        let kind = error
            .store_error()
            .map(copilot::store::StoreError::recoverable);
        let text = error.to_string();
        assert_eq!(kind, recoverable, "{says}: {text}");
        for word in [&*address, says] {
            assert!(text.contains(word), "{word}: {text}");
        }
        let left = names(&dir.path().join("in"));
        assert!(left.is_empty(), "{says}: {left:?}");
    }
}

/// The announced length is less than what the server sends: by HTTP's rules only that much is the resource.
#[tokio::test]
async fn bytes_after_the_announced_length_are_not_data() {
    let web = serve(Server::Says(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort and more",
    ));
    let dir = tempfile::tempdir().unwrap();
    let copy = Copy::Download {
        from: Reference::parse(&format!("http://{}/x", web.address())).unwrap(),
        to: place(&dir.path().join("x")),
        size: None,
    };
    run(&engine(), vec![copy]).await.unwrap();
    assert_eq!(fs::read(dir.path().join("x")).unwrap(), b"short");
}
