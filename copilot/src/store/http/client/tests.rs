use std::io::Read as _;
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
