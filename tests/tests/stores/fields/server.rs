//! A store in process that speaks as S3, Google and Azure do, and gives one answer with one flaw.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use copilot_tests::background::Background;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::answer::{Answer, Flaw};
use super::request::Request;

/// A version's time, long ago.
const MODIFIED: &str = "Wed, 01 Jan 2025 00:00:00 GMT";

/// Keys in a page of a listing.
const PAGE: usize = 2;

/// A running store with the container `data`. It stops when it is dropped.
#[derive(Debug)]
pub struct Store {
    pub server: Background,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    flaw: Option<Flaw>,
    /// Whether the flaw's field was in an answer.
    applied: bool,
    objects: BTreeMap<String, Vec<u8>>,
    parts: BTreeMap<String, Vec<u8>>,
    /// The keys that clients have written.
    written: Vec<String>,
    /// The kinds of the requests so far.
    asked: Vec<&'static str>,
}

impl Store {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            flaw: None,
            applied: false,
            objects: BTreeMap::new(),
            parts: BTreeMap::new(),
            written: Vec::new(),
            asked: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let server = Background::start("flawed-store", move |client| {
            let state = Arc::clone(&shared);
            async move {
                // A client may close its connection at any time.
                let _ = serve(client, &state).await;
            }
        });
        let server = server.unwrap();
        Self { server, state }
    }

    /// From now on it has these objects, and this flaw.
    pub fn reset(&self, flaw: Flaw, objects: &[(&str, &[u8])]) {
        let objects = objects.iter();
        *self.state() = State {
            flaw: Some(flaw),
            applied: false,
            objects: objects
                .map(|(key, content)| ((*key).to_owned(), content.to_vec()))
                .collect(),
            parts: BTreeMap::new(),
            written: Vec::new(),
            asked: Vec::new(),
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        self.state().objects.get(key).cloned()
    }

    pub fn was_asked(&self, kind: &str) -> bool {
        self.state().asked.contains(&kind)
    }

    /// Whether the flaw has been in an answer.
    pub fn applied(&self) -> bool {
        self.state().applied
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves one request of one connection.
async fn serve(mut client: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut received = Vec::new();
    let request = loop {
        if let Some(request) = Request::read(&received) {
            break request;
        }
        if client.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    };
    let is_head = request.method == "HEAD";
    let text = lock(state).answer(&request).written(is_head);
    client.write_all(&text).await?;
    client.shutdown().await
}

fn tag(content: &[u8]) -> String {
    let sum = content.iter().fold(7_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
    });
    format!("\"{sum:016x}\"")
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        let kind = request.kind();
        self.asked.push(kind);
        let mut answer = match kind {
            "token" => token(),
            "listing" if request.query.contains_key("comp") => self.azure_listing(request),
            "listing" => self.s3_listing(request),
            "list of parts" => self.list_of_parts(),
            "GET" | "GET of a range" | "HEAD" => self.read(request),
            "PUT" => {
                self.objects
                    .insert(request.key.clone(), request.body.clone());
                Answer::tagged(&tag(&request.body))
            }
            "part" => self.part(request),
            "beginning" => Answer::xml(
                "<InitiateMultipartUploadResult><Bucket>data</Bucket><Key>up</Key>\
                 <UploadId>id</UploadId></InitiateMultipartUploadResult>",
            ),
            "completion" => self.complete(request),
            _ => {
                self.objects.remove(&request.key);
                Answer {
                    status: 204,
                    ..Answer::default()
                }
            }
        };
        let flaw = self.flaw.filter(|flaw| flaw.answer == kind);
        if let Some(flaw) = flaw.filter(|_| answer.status < 300) {
            self.applied |= answer.flaw(flaw.field, flaw.how);
        }
        answer
    }

    fn read(&self, request: &Request) -> Answer {
        let Some(content) = self.objects.get(&request.key) else {
            return Answer {
                status: 404,
                ..Answer::default()
            };
        };
        let mut answer = Answer::tagged(&tag(content));
        for (name, value) in [
            ("Last-Modified", &*self.modified(&request.key)),
            ("Content-Type", "text/plain"),
            ("Content-Encoding", "identity"),
            ("Accept-Ranges", "bytes"),
            ("Cache-Control", "no-cache"),
            ("x-amz-version-id", "3"),
            ("x-amz-meta-writer", "main"),
        ] {
            answer.headers.push((name.to_owned(), value.into()));
        }
        answer.body.clone_from(content);
        if let Some((from, to)) = request.range {
            let to = to.min(content.len());
            answer.status = 206;
            answer.body = content[from..to].to_vec();
            let range = format!("bytes {from}-{}/{}", to - 1, content.len());
            answer
                .headers
                .push(("Content-Range".to_owned(), range.into()));
        }
        answer
    }

    fn modified(&self, key: &str) -> String {
        if self.written.iter().any(|written| written == key) {
            return httpdate::fmt_http_date(std::time::SystemTime::now());
        }
        MODIFIED.to_owned()
    }

    /// The keys of a page, and whether more follow.
    fn page(&self, prefix: &str, after: &str) -> (Vec<(&String, usize)>, bool) {
        let keys = self
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix));
        let keys = keys.filter(|(key, _)| key.as_str() > after);
        let mut keys: Vec<_> = keys.map(|(key, content)| (key, content.len())).collect();
        let more = keys.len() > PAGE;
        keys.truncate(PAGE);
        (keys, more)
    }

    fn s3_listing(&self, request: &Request) -> Answer {
        let value = |name: &str| request.query.get(name).map(String::as_str);
        let prefix = value("prefix").unwrap_or_default();
        let token = value("continuation-token");
        if token.is_some_and(|token| !token.starts_with("after ")) {
            return Answer {
                status: 400,
                ..Answer::default()
            };
        }
        let after = token.map(|token| &token[6..]).or(value("start-after"));
        let (keys, more) = self.page(prefix, after.unwrap_or_default());
        let entry = |(key, size): &(&String, usize)| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>2025-01-01T00:00:00.000Z</LastModified>\
                 <ETag>x</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            )
        };
        let entries: String = keys.iter().map(entry).collect();
        let next = match keys.last() {
            Some((key, _)) if more => {
                format!("<NextContinuationToken>after {key}</NextContinuationToken>")
            }
            _ => String::new(),
        };
        Answer::xml(&format!(
            "<ListBucketResult><Name>data</Name><Prefix>{prefix}</Prefix><MaxKeys>1000</MaxKeys>\
             <KeyCount>{}</KeyCount><IsTruncated>{more}</IsTruncated>{next}{entries}</ListBucketResult>",
            keys.len()
        ))
    }

    fn azure_listing(&self, request: &Request) -> Answer {
        let value = |name: &str| request.query.get(name).map_or("", String::as_str);
        let marker = value("marker");
        if !marker.is_empty() && !marker.starts_with("after ") {
            return Answer {
                status: 400,
                ..Answer::default()
            };
        }
        let (keys, more) = self.page(value("prefix"), marker.get(6..).unwrap_or_default());
        let entry = |(key, size): &(&String, usize)| {
            format!(
                "<Blob><Name>{key}</Name><Properties><Last-Modified>{MODIFIED}</Last-Modified>\
                 <Etag>x</Etag><Content-Length>{size}</Content-Length>\
                 <BlobType>BlockBlob</BlobType></Properties></Blob>"
            )
        };
        let entries: String = keys.iter().map(entry).collect();
        let next = match keys.last() {
            Some((key, _)) if more => format!("<NextMarker>after {key}</NextMarker>"),
            _ => "<NextMarker></NextMarker>".to_owned(),
        };
        Answer::xml(&format!(
            "<EnumerationResults><Blobs>{entries}</Blobs>{next}</EnumerationResults>"
        ))
    }

    fn part(&mut self, request: &Request) -> Answer {
        let name = ["partNumber", "blockid"].map(|name| request.query.get(name));
        let name = name.into_iter().flatten().next().unwrap().clone();
        self.parts.insert(name, request.body.clone());
        let mut answer = Answer::tagged(&tag(&request.body));
        if self.flaw.is_some_and(|flaw| flaw.answer == "list of parts") {
            // Else nobody asks for the list.
            answer.headers.retain(|(name, _)| name != "ETag");
        }
        answer
    }

    fn list_of_parts(&self) -> Answer {
        let entry = |(number, content): (&String, &Vec<u8>)| {
            let (tag, size) = (tag(content), content.len());
            format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag><Size>{size}</Size></Part>"
            )
        };
        let entries: String = self.parts.iter().map(entry).collect();
        Answer::xml(&format!(
            "<ListPartsResult><UploadId>id</UploadId><IsTruncated>false</IsTruncated>{entries}</ListPartsResult>"
        ))
    }

    /// Puts the object together, if the request names each part by its tag or its block.
    fn complete(&mut self, request: &Request) -> Answer {
        let body = String::from_utf8_lossy(&request.body).replace("&quot;", "\"");
        let known = |(name, content): (&String, &Vec<u8>)| {
            let has_tag = body.contains(&format!("<ETag>{}</ETag>", tag(content)));
            has_tag || body.contains(name.as_str()) && !body.contains("<ETag>")
        };
        if !self.parts.iter().all(known) {
            return Answer {
                status: 400,
                ..Answer::default()
            };
        }
        let content: Vec<u8> = self.ordered(&body).concat();
        let mut answer = Answer::xml(
            "<CompleteMultipartUploadResult><Location>http://h/data/up</Location><Bucket>data</Bucket>\
             <Key>up</Key><ETag>\"t\"</ETag></CompleteMultipartUploadResult>",
        );
        if request.method == "PUT" {
            answer = Answer::tagged(&tag(&content));
        }
        self.written.push(request.key.clone());
        self.objects.insert(request.key.clone(), content);
        answer
    }

    /// The parts in the order of the request.
    fn ordered(&self, body: &str) -> Vec<Vec<u8>> {
        let mut parts: Vec<_> = self.parts.iter().collect();
        if !body.contains("<ETag>") {
            // Azure's blocks have names.
            parts.sort_by_key(|(name, _)| body.find(name.as_str()));
        }
        parts
            .into_iter()
            .map(|(_, content)| content.clone())
            .collect()
    }
}

/// The answer of each service that gives credentials.
fn token() -> Answer {
    let fields = [
        ("access_token", "\"t\""),
        ("expires_in", "3599"),
        ("token_type", "\"Bearer\""),
        ("AccessKeyId", "\"key\""),
        ("SecretAccessKey", "\"secret\""),
        ("Token", "\"session\""),
        ("Expiration", "\"2125-01-01T00:00:00Z\""),
    ];
    let fields = fields.map(|(name, value)| format!("\"{name}\": {value}"));
    Answer {
        status: 200,
        headers: Vec::new(),
        body: format!("{{{}}}", fields.join(", ")).into_bytes(),
    }
}
