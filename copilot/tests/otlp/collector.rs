//! A collector of spans on loopback, which decodes what it gets.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// Far more than any test needs.
const PATIENCE: Duration = Duration::from_mins(2);

/// A request of an exporter.
#[derive(Clone, Debug)]
pub struct Export {
    /// Method, target and version.
    pub line: String,
    headers: Vec<(String, String)>,
    resource: Vec<KeyValue>,
    /// The spans.
    pub spans: Vec<Span>,
}

impl Export {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(found, _)| found == name)?;
        Some(value)
    }

    /// An attribute of the resource that is a text.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        let pair = self.resource.iter().find(|pair| pair.key == key)?;
        match pair.value.as_ref()?.value.as_ref()? {
            any_value::Value::StringValue(text) => Some(text),
            _ => None,
        }
    }
}

/// How a request is answered.
pub enum Reply {
    /// With a status and a body.
    Answer(u16, Vec<u8>),
    /// Never; the connection stays open.
    Silence,
    /// The connection closes.
    Hangup,
}

impl Reply {
    /// All spans are taken.
    pub fn taken() -> Self {
        Self::Answer(200, ExportTraceServiceResponse::default().encode_to_vec())
    }

    /// Some spans are refused.
    pub fn refusing(count: i64, reason: &str) -> Self {
        let partial = ExportTracePartialSuccess {
            rejected_spans: count,
            error_message: reason.to_owned(),
        };
        let answer = ExportTraceServiceResponse {
            partial_success: Some(partial),
        };
        Self::Answer(200, answer.encode_to_vec())
    }

    pub fn new(status: u16, body: &[u8]) -> Self {
        Self::Answer(status, body.to_vec())
    }

    pub fn silence() -> Self {
        Self::Silence
    }

    pub fn hangup() -> Self {
        Self::Hangup
    }
}

#[derive(Default)]
struct Seen {
    exports: Mutex<Vec<Export>>,
    changed: Condvar,
}

/// A running collector. Its thread lives as long as the test program.
pub struct Collector {
    address: SocketAddr,
    seen: Arc<Seen>,
}

impl Collector {
    /// Starts one; `answer` gets the number of each request, from 0.
    pub fn start(answer: impl Fn(usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let noted = Arc::clone(&seen);
        thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let Some(export) = read(&stream) else {
                    continue;
                };
                let index = {
                    let mut exports = noted.exports.lock().unwrap();
                    exports.push(export);
                    noted.changed.notify_all();
                    exports.len() - 1
                };
                match answer(index) {
                    Reply::Answer(status, body) => reply(stream, status, &body),
                    Reply::Silence => silent.push(stream),
                    Reply::Hangup => drop(stream),
                }
            }
        });
        Self { address, seen }
    }

    /// Its address, without a path.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it got so far.
    pub fn exports(&self) -> Vec<Export> {
        self.seen.exports.lock().unwrap().clone()
    }

    /// The one request that it got.
    #[track_caller]
    pub fn only(&self) -> Export {
        let mut exports = self.exports();
        assert_eq!(exports.len(), 1, "{exports:?}");
        exports.remove(0)
    }

    /// Waits until it got a request.
    pub fn wait_for_a_request(&self) {
        let exports = self.seen.exports.lock().unwrap();
        let waited = self
            .seen
            .changed
            .wait_timeout_while(exports, PATIENCE, |it| it.is_empty());
        assert!(!waited.unwrap().1.timed_out(), "no request came");
    }
}

/// One request; none if the connection closes before.
fn read(stream: &TcpStream) -> Option<Export> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers = lines[1..].iter().filter_map(|line| line.split_once(": "));
    let headers: Vec<(String, String)> = headers
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let (_, length) = length.expect("the body has a length");
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    let request = ExportTraceServiceRequest::decode(&*body).expect("the body is a request");
    let mut resource = Vec::new();
    let mut spans = Vec::new();
    for of_resource in request.resource_spans {
        resource.extend(of_resource.resource.unwrap_or_default().attributes);
        for of_scope in of_resource.scope_spans {
            spans.extend(of_scope.spans);
        }
    }
    Some(Export {
        line: lines[0].clone(),
        headers,
        resource,
        spans,
    })
}

fn reply(mut stream: TcpStream, status: u16, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    // A client that has given up does not matter.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}
