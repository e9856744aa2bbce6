//! An endpoint that is not an S3 server.

use copilot::idl::blob_type::BlobDimensionality::Multipart;
use copilot_tests::background::Background;
use copilot_tests::site::{Site, download, run};
use copilot_tests::task::{Task, blob, blob_type, interface};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::outlook::{PASSING, PLATFORM_LASTING, unreported};

/// The page of a web server that answers every request with it.
const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body></body></html>";

/// A server that answers every connection with these bytes.
fn saying(answer: &'static [u8]) -> Background {
    Background::start("no-s3", move |mut connection| async move {
        let mut head = vec![0; 64 * 1024];
        if answer.is_empty() {
            return;
        }
        let _ = connection.read(&mut head).await;
        let _ = connection.write_all(answer).await;
        let _ = connection.shutdown().await;
        while connection.read(&mut head).await.unwrap_or(0) > 0 {}
    })
    .unwrap()
}

fn page(status: &str) -> &'static [u8] {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        PAGE.len()
    );
    Box::leak((head + PAGE).into_boxed_str()).as_bytes()
}

#[test]
fn an_endpoint_that_is_not_s3_is_reported() {
    let task = Task::start().unwrap();
    task.put_inputs([("dir", blob("s3://data/task/in/dir", Multipart))]);
    for (what, answer, class, says) in [
        (
            "a page for everything",
            page("200 OK"),
            PLATFORM_LASTING,
            "a web page",
        ),
        (
            "a page that says no",
            page("404 Not Found"),
            PASSING,
            "does not exist",
        ),
        (
            "not HTTP",
            &b"220 mail.example ESMTP\r\n"[..],
            PLATFORM_LASTING,
            "Check the endpoint",
        ),
    ] {
        eprintln!("{what}");
        let server = saying(answer);
        let endpoint = format!("http://{}", server.address());
        let mut command = task.download();
        command.args(["--storage.stow.config", &format!("endpoint={endpoint}")]);
        let says = ["s3://data/task/inputs.pb", &endpoint, says];
        unreported(&task, &mut command, class, &says);
    }
}

/// It may be a server that is just starting, so there are retries; here with a short time limit.
#[tokio::test]
async fn a_connection_that_closes_at_once_is_reported() {
    let site = Site::start().unwrap();
    let server = saying(b"");
    let endpoint = format!("http://{}", server.address());
    let copy = download("x", &site.work("in/x"));
    let engine = site.engine_through(&endpoint);
    let error = run(&engine, vec![copy]).await.unwrap_err();
    let store = error.store_error().unwrap();
    assert!(store.recoverable() && store.is_infrastructure(), "{error}");
    let error = error.to_string();
    for word in ["s3://data/x", &endpoint, "5 attempts", "Check the endpoint"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(!site.work("in").exists());
}

#[test]
fn outputs_are_not_lost_in_a_server_without_s3() {
    for (answer, class) in [
        (page("200 OK"), PLATFORM_LASTING),
        (page("405 Method Not Allowed"), PASSING),
    ] {
        let task = Task::start().unwrap();
        task.write_output("o/large", vec![0; 20 << 20]);
        let server = saying(answer);
        let endpoint = format!("http://{}", server.address());
        let mut command = task.sidecar(&interface([("o", blob_type(Multipart))]));
        command.args(["--storage.stow.config", &format!("endpoint={endpoint}")]);
        let says = ["s3://data/task/", &endpoint];
        unreported(&task, &mut command, class, &says);
    }
}
