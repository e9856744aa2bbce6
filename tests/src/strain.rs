//! What a server bears: how many requests at once, and what each takes. It counts what it was asked.
//!
//! Clients differ by their bucket, and an object is whatever is read or written but the task's messages (`*.pb`).

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::{Method, Request};
use tokio::sync::{Semaphore, watch};

/// How a server treats one request.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Requests at once, this one included; a request beyond is refused with `SlowDown`.
    pub bears: usize,
    /// What it takes.
    pub work: Duration,
}

impl Rule {
    /// Requests of any number, answered at once.
    pub const NONE: Self = Self {
        bears: usize::MAX,
        work: Duration::ZERO,
    };
}

/// What a server was asked.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Connections that were opened.
    pub connections: usize,
    /// Method and target of each request, refused ones included.
    pub asked: Vec<String>,
    /// For each refusal, how many requests came before.
    pub refused: Vec<usize>,
    /// The most requests at once.
    pub most: usize,
    /// The objects that each client has read or written.
    pub objects: BTreeMap<String, usize>,
    /// The same when the first client had all that it wanted.
    pub when_the_first_ended: Option<BTreeMap<String, usize>>,
    now: usize,
}

/// The rules of a server, and its counts.
pub struct Strain {
    /// The rule for a request, by the number of requests before.
    rule: Box<dyn Fn(usize) -> Rule + Send + Sync>,
    /// Requests that are worked on at once.
    workers: Semaphore,
    /// The numbers of requests that are served when all of them have come.
    together: Range<usize>,
    /// Clients that must have asked for an object before one is served.
    gathers: usize,
    /// How many objects each client wants.
    wanted: usize,
    counts: Mutex<Counts>,
    /// How many requests have come, and how many clients.
    come: watch::Sender<usize>,
    clients: watch::Sender<usize>,
}

/// A request that was let in; it ends when dropped.
#[derive(Debug)]
pub struct Entered<'a>(&'a Strain);

impl Strain {
    /// A server with a rule for each request, by the number of requests before.
    pub fn new(rule: impl Fn(usize) -> Rule + Send + Sync + 'static) -> Self {
        Self {
            rule: Box::new(rule),
            workers: Semaphore::new(Semaphore::MAX_PERMITS),
            together: 0..0,
            gathers: 0,
            wanted: usize::MAX,
            counts: Mutex::default(),
            come: watch::Sender::new(0),
            clients: watch::Sender::new(0),
        }
    }

    /// The same; it works on so many requests at once, and others wait in line.
    #[must_use]
    pub fn of_workers(self, workers: usize) -> Self {
        Self {
            workers: Semaphore::new(workers),
            ..self
        }
    }

    /// The same; the requests of these numbers, from 0, are served when all of them have come. A client that waits
    /// for an answer before it sends the next one of them waits in vain.
    #[must_use]
    pub fn together(self, requests: Range<usize>) -> Self {
        Self {
            together: requests,
            ..self
        }
    }

    /// The same; so many clients want so many objects each. The first object is served when all have asked.
    #[must_use]
    pub fn for_clients(self, clients: usize, objects: usize) -> Self {
        Self {
            gathers: clients,
            wanted: objects,
            ..self
        }
    }

    /// What was asked so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    /// Counts a connection.
    pub fn connected(&self) {
        self.lock().connections += 1;
    }

    /// Lets a request in, and works on it; `None` if it is refused. The server answers it afterwards.
    pub async fn enter<B>(&self, request: &Request<B>) -> Option<Entered<'_>> {
        let client = object_of(request);
        if let Some(client) = client {
            // Before it counts: it would take the place of those that are waited for.
            self.gather(client).await;
        }
        let (rule, before) = self.note(request)?;
        let entered = Entered(self);
        if self.together.contains(&before) {
            let mut come = self.come.subscribe();
            // The sender lives as long as we.
            let _ = come.wait_for(|come| *come >= self.together.end).await;
        }
        // It is never closed.
        let worker = self.workers.acquire().await.ok();
        if !rule.work.is_zero() {
            tokio::time::sleep(rule.work).await;
        }
        drop(worker);
        if let Some(client) = client {
            self.count(client);
        }
        Some(entered)
    }

    /// Counts a request. Returns its rule if it is let in, and how many came before.
    fn note<B>(&self, request: &Request<B>) -> Option<(Rule, usize)> {
        let mut counts = self.lock();
        let before = counts.asked.len();
        let rule = (self.rule)(before);
        let line = format!("{} {}", request.method(), request.uri());
        counts.asked.push(line);
        self.come.send_replace(before + 1);
        if counts.now >= rule.bears {
            counts.refused.push(before);
            return None;
        }
        counts.now += 1;
        counts.most = counts.most.max(counts.now);
        Some((rule, before))
    }

    /// Waits until all clients have asked for an object.
    async fn gather(&self, client: &str) {
        let known = {
            let mut counts = self.lock();
            counts.objects.entry(client.to_owned()).or_default();
            counts.objects.len()
        };
        self.clients.send_replace(known);
        let mut clients = self.clients.subscribe();
        // The sender lives as long as we.
        let _ = clients.wait_for(|known| *known >= self.gathers).await;
    }

    fn count(&self, client: &str) {
        let mut counts = self.lock();
        let count = counts.objects.entry(client.to_owned()).or_default();
        *count += 1;
        if *count == self.wanted && counts.when_the_first_ended.is_none() {
            counts.when_the_first_ended = Some(counts.objects.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.lock().now -= 1;
    }
}

impl fmt::Debug for Strain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Strain")
            .field("gathers", &self.gathers)
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

/// The client of a request that is for an object.
fn object_of<B>(request: &Request<B>) -> Option<&str> {
    let path = request.uri().path().trim_start_matches('/');
    let (client, key) = path.split_once('/')?;
    let is_read_or_written = matches!(*request.method(), Method::GET | Method::PUT);
    let is_message = std::path::Path::new(key)
        .extension()
        .is_some_and(|ending| ending == "pb");
    (is_read_or_written && !key.is_empty() && !is_message).then_some(client)
}
