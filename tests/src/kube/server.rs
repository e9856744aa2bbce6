//! The server: each request is a list or a watch.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::history::{ApiRequest, Behaviour, Clients, End, History, status};
use super::manifest::Manifest;
use crate::background::Background;
use crate::binary::wait_until;

/// The only namespace.
pub const NAMESPACE: &str = "flyte";

/// The token that the server accepts at first.
pub const TOKEN: &str = "let-me-see-my-pod";

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct ApiServer {
    server: Background,
    history: History,
}

impl ApiServer {
    /// Starts a server without a pod.
    pub fn start() -> io::Result<Self> {
        let history = History::default();
        let shared = history.clone();
        let server = Background::start("api-server", move |connection| {
            let history = shared.clone();
            async move {
                let service = service_fn(|request| {
                    let history = history.clone();
                    async move { Ok::<_, Infallible>(answer(&history, &request).await) }
                });
                // A client may close its connection at any time.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), service)
                    .await;
            }
        })?;
        Ok(Self { server, history })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// The flags with which a sidecar of this pod reaches it.
    #[must_use]
    pub fn flags(&self, pod: &str) -> Vec<String> {
        vec![
            format!("--server=http://{}", self.address()),
            format!("--token={TOKEN}"),
            format!("--namespace={NAMESPACE}"),
            format!("--pod-name={pod}"),
        ]
    }

    /// Replaces the pod.
    pub fn put(&self, pod: &Manifest) {
        self.history.change(|state| state.put(pod.text()));
    }

    /// Deletes the pod.
    pub fn delete(&self) {
        self.history.change(super::history::State::delete);
    }

    /// Sends a bookmark: something else than this pod has changed.
    pub fn bookmark(&self) {
        self.history.change(super::history::State::bookmark);
    }

    /// Forgets all versions until now: a watch from one gets `410 Gone`.
    pub fn forget(&self) {
        self.history.change(super::history::State::forget);
    }

    /// From now on the server behaves like this.
    pub fn behave(&self, behaviour: Behaviour) {
        self.history.change(|state| state.behaviour = behaviour);
    }

    /// From now on the server accepts this token, and no other.
    pub fn accept_token(&self, token: &str) {
        let clients = Clients::Bearer(token.to_owned());
        self.history.change(|state| state.clients = clients);
    }

    /// From now on the server accepts every client, as behind a front that checks certificates.
    pub fn accept_all(&self) {
        self.history.change(|state| state.clients = Clients::Any);
    }

    /// Ends all open watches in order, as a server does when their time is over.
    pub fn close_watches(&self) {
        self.history
            .change(|state| state.ends = (state.ends.0 + 1, Some(End::Closed)));
    }

    /// Breaks all open watches in the middle of a line.
    pub fn break_watches(&self) {
        self.history
            .change(|state| state.ends = (state.ends.0 + 1, Some(End::Broken)));
    }

    /// Sends an error event in all open watches.
    pub fn send_error(&self, code: u16) {
        let event = json!({"type": "ERROR", "object": status(code)});
        self.history.change(|state| state.asides.push(event));
    }

    /// Sends a line in all open watches that is not an event.
    pub fn send_garbage(&self) {
        let line = Value::String("not an event".to_owned());
        self.history.change(|state| state.asides.push(line));
    }

    /// Sends a line in all open watches that is longer than any pod.
    pub fn send_flood(&self) {
        let line = Value::String("x".repeat(5 << 20));
        self.history.change(|state| state.asides.push(line));
    }

    /// All requests so far.
    #[must_use]
    pub fn asked(&self) -> Vec<ApiRequest> {
        self.history.read().asked.clone()
    }

    /// How many watches clients have requested so far.
    #[must_use]
    pub fn watches(&self) -> usize {
        self.asked().iter().filter(|asked| asked.watch).count()
    }

    /// Waits until clients have requested more watches than `before`, and one is open.
    pub fn is_watched_after(&self, before: usize) {
        wait_until("the pod is watched again", || {
            self.watches() > before && self.history.read().open > 0
        });
    }
}

async fn answer(history: &History, request: &Request<Incoming>) -> Response<Answer> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let parameter = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(key, _)| *key == name);
        found.next().map(|(_, value)| value.replace("%3D", "="))
    };
    let watch = parameter("watch").is_some_and(|value| value == "true" || value == "1");
    let version = parameter("resourceVersion");
    let (behaviour, clients) = {
        let mut state = history.read();
        state.asked.push(ApiRequest {
            watch,
            version: version.clone(),
        });
        (state.behaviour, state.clients.clone())
    };
    match behaviour {
        Behaviour::Silent => std::future::pending().await,
        Behaviour::Refuses(code) => return refused(code),
        Behaviour::RefusesWatches(code) if watch => return refused(code),
        Behaviour::Normal | Behaviour::RefusesWatches(_) => {}
    }
    if let Clients::Bearer(token) = clients {
        let expected = format!("Bearer {token}");
        let token = request.headers().get(AUTHORIZATION);
        if token.is_none_or(|token| token.as_bytes() != expected.as_bytes()) {
            return refused(401);
        }
    }
    if request.uri().path() != format!("/api/v1/namespaces/{NAMESPACE}/pods") {
        return refused(403);
    }
    // The product asks for one pod only.
    let selector = parameter("fieldSelector");
    let Some(name) = selector
        .as_deref()
        .and_then(|text| text.strip_prefix("metadata.name="))
    else {
        return refused(403);
    };
    if watch {
        watching(history, version.and_then(|version| version.parse().ok()))
    } else {
        listing(history, name)
    }
}

fn listing(history: &History, name: &str) -> Response<Answer> {
    let state = history.read();
    let items: Vec<&Value> = state
        .pod
        .iter()
        .filter(|pod| pod["metadata"]["name"] == name)
        .collect();
    let version = state.version.to_string();
    let list = json!({"kind": "PodList", "apiVersion": "v1",
        "metadata": {"resourceVersion": version}, "items": items});
    json_answer(StatusCode::OK, &list)
}

fn watching(history: &History, from: Option<u64>) -> Response<Answer> {
    let from = from.unwrap_or_default();
    if from < history.read().oldest {
        return refused(410);
    }
    let (lines, answer) = mpsc::channel(16);
    let history = history.clone();
    tokio::spawn(async move {
        history.read().open += 1;
        tell(&history, from, &lines).await;
        history.read().open -= 1;
    });
    let mut response = Response::new(Answer::Lines(answer));
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// Sends the events after a version until the watch ends or the client closes it.
async fn tell(history: &History, mut version: u64, lines: &mpsc::Sender<Line>) {
    let (ends, mut asides) = {
        let state = history.read();
        (state.ends.0, state.asides.len())
    };
    loop {
        // Before the state is read, so that no change is missed.
        let mut changed = Box::pin(history.changed());
        std::future::poll_fn(|cx| {
            let _ = changed.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        let (mut events, now, end, is_silent) = {
            let state = history.read();
            let (mut events, now) = state.since(version);
            if version < state.oldest {
                events = vec![json!({"type": "ERROR", "object": status(410)})];
            }
            events.extend(state.asides[asides..].iter().cloned());
            asides = state.asides.len();
            let end = state.ends.1.filter(|_| state.ends.0 > ends);
            (events, now, end, state.behaviour == Behaviour::Silent)
        };
        if is_silent {
            return std::future::pending().await;
        }
        version = now;
        for event in events.drain(..) {
            let ends_it = event["type"] == "ERROR";
            let line = format!("{event}\n");
            if lines.send(Ok(line.into())).await.is_err() || ends_it {
                return;
            }
        }
        match end {
            Some(End::Closed) => return,
            Some(End::Broken) => {
                let _ = lines.send(Ok("{\"type\": \"MODI".into())).await;
                let _ = lines.send(Err(io::Error::other("broken"))).await;
                return;
            }
            None => {}
        }
        tokio::select! {
            () = changed => {}
            () = lines.closed() => return,
        }
    }
}

type Line = io::Result<Bytes>;

/// A whole body, or one that comes line by line.
enum Answer {
    Whole(Option<Bytes>),
    Lines(mpsc::Receiver<Line>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Lines(lines) => lines
                .poll_recv(cx)
                .map(|line| line.map(|line| line.map(Frame::data))),
        }
    }
}

fn refused(code: u16) -> Response<Answer> {
    let known = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json_answer(known, &status(code))
}

fn json_answer(code: StatusCode, value: &Value) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(Some(value.to_string().into())));
    *response.status_mut() = code;
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
