use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use object_store::client::HttpRequestBody;

use super::*;
use crate::store::network::Retry;

/// A server that reads requests and closes the connection: they may have had their effect.
#[tokio::test]
async fn ambiguous_attempts_are_counted_through_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    let network = Network {
        retry: Retry {
            attempts: 3,
            base: Duration::from_millis(1),
            ..Retry::default()
        },
        ..Network::default()
    };
    let attempts = AmbiguousAttempts::default();
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.uri_mut() = format!("http://{address}/").parse().unwrap();
    request.extensions_mut().insert(attempts.clone());
    let client = Client::new(network, "");
    let sent = client.send(&request, &Unsigned, Answer::Whole).await;
    server.join().unwrap();
    assert!(sent.unwrap_err().is_ambiguous());
    assert_eq!(attempts.count(), 3);
}

/// Sends one request to a server that answers it like this and closes the connection.
async fn answered(method: Method, text: &'static str) -> Result<HttpResponse, RequestFailure> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(text.as_bytes());
    });
    let network = Network {
        retry: Retry {
            attempts: 1,
            known_elapsed: Duration::ZERO,
            ..Retry::default()
        },
        ..Network::default()
    };
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.uri_mut() = format!("http://{address}/").parse().unwrap();
    *request.method_mut() = method;
    let client = Client::new(network, "");
    let sent = client.send(&request, &Unsigned, Answer::Head).await;
    server.join().unwrap();
    sent
}

/// What a body says counts where it says anything.
#[tokio::test]
async fn a_body_that_breaks_matters_only_where_it_is_needed() {
    const CUT: &str = "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 100\r\n\r\n<Co";
    let put = answered(Method::PUT, CUT).await.unwrap();
    assert_eq!(put.headers()["etag"], "\"x\"");
    let post = answered(Method::POST, CUT).await.unwrap_err();
    assert_eq!(post.kind, FailureKind::Broken);
}

#[tokio::test]
async fn an_error_in_the_body_of_a_success_is_one_after_any_method_but_get() {
    const REFUSED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 55\r\n\r\n\
                           <Error xmlns=\"http://a/\"><Code>SlowDown</Code></Error>\n";
    for method in [Method::PUT, Method::POST, Method::DELETE] {
        let failure = answered(method.clone(), REFUSED).await.unwrap_err();
        assert!(failure.is_transient(), "{method}: {failure}");
        assert!(failure.asks_for_less(), "{method}: {failure}");
    }
    // An object may hold anything.
    assert!(answered(Method::GET, REFUSED).await.is_ok());
}
