//! Clients and a store some way off, in simulated time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::{AdaptiveLimit, Change};

pub(super) const START: usize = 32;
pub(super) const CEILING: usize = 256;

/// A store that works on so many requests at once; others wait in line.
#[derive(Clone, Copy)]
pub(super) struct Store {
    pub(super) round_trip: Duration,
    pub(super) workers: usize,
    /// What one request takes a worker.
    pub(super) work: Duration,
    /// Requests at once, those in line included; one more is refused.
    pub(super) bears: usize,
}

/// How a phase went.
pub(super) struct Outcome {
    /// Answers a second, of all clients.
    pub(super) rate: f64,
    /// The limit of the first client at the end.
    pub(super) limit: usize,
    /// The average limit of all clients.
    pub(super) average: f64,
    /// Refusals for each request that was answered well.
    pub(super) refused: f64,
}

/// A client that always has another request.
struct Client {
    limit: AdaptiveLimit,
    /// Connections that it has opened.
    connections: usize,
    answers: u32,
}

/// What happens to a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives,
    Served,
    Answered { well: bool },
}

/// A request that something happens to at a time. The number keeps the order of what happens at once.
type Coming = Reverse<(Duration, u64, usize, u64, Event)>;

pub(super) struct Simulation {
    clients: Vec<Client>,
    now: Duration,
    coming: BinaryHeap<Coming>,
    number: u64,
    /// When each worker is free.
    free: BinaryHeap<Reverse<Duration>>,
    at_store: usize,
    /// Round trips until a new connection takes a request.
    handshake: u32,
    random: u64,
    /// The time at which the first client reached the limit `CEILING`.
    pub(super) at_ceiling: Option<Duration>,
}

impl Simulation {
    /// So many clients of one store.
    pub(super) fn of(clients: usize) -> Self {
        let client = |_| Client {
            limit: AdaptiveLimit::new(START, CEILING),
            connections: 0,
            answers: 0,
        };
        Self {
            clients: (0..clients).map(client).collect(),
            now: Duration::ZERO,
            coming: BinaryHeap::new(),
            number: 0,
            free: BinaryHeap::new(),
            at_store: 0,
            handshake: 1,
            random: 1,
            at_ceiling: None,
        }
    }

    /// The same; a connection begins with a handshake of TLS.
    pub(super) fn over_tls(self) -> Self {
        Self {
            handshake: 2,
            ..self
        }
    }

    /// How many answers each client has.
    pub(super) fn answers(&self) -> Vec<u32> {
        self.clients.iter().map(|client| client.answers).collect()
    }

    /// Lets the clients send for so long.
    pub(super) fn go(&mut self, store: Store, time: Duration) -> Outcome {
        self.go_on(time, |_| store)
    }

    /// The same for a store that changes; `store` gets the time since the beginning.
    pub(super) fn go_on(&mut self, time: Duration, store: impl Fn(Duration) -> Store) -> Outcome {
        let (begun, end) = (self.now, self.now + time);
        let (mut answers, mut refusals, mut sum) = (0_u32, 0_u32, 0.0);
        for client in 0..self.clients.len() {
            self.fill(client, store(Duration::ZERO));
        }
        while self.now < end {
            let store = store(self.now.saturating_sub(begun));
            match self.step(store) {
                Some((client, true)) => {
                    answers += 1;
                    let limit = self.clients[client].limit.limit;
                    sum += u32::try_from(limit).map(f64::from).unwrap();
                }
                Some((_, false)) => refusals += 1,
                None => {}
            }
        }
        Outcome {
            rate: f64::from(answers) / time.as_secs_f64(),
            limit: self.clients[0].limit.limit,
            average: sum / f64::from(answers),
            refused: f64::from(refusals) / f64::from(answers),
        }
    }

    /// The next event. Returns the client that was answered, and whether well.
    fn step(&mut self, store: Store) -> Option<(usize, bool)> {
        let Reverse((at, _, client, epoch, event)) = self.coming.pop().unwrap();
        self.now = at;
        match event {
            Event::Arrives if self.at_store >= store.bears => {
                let back = self.about(store.round_trip / 2);
                self.after(back, client, epoch, Event::Answered { well: false });
            }
            Event::Arrives => {
                self.at_store += 1;
                let work = self.about(store.work);
                let done = self.worker(store.workers) + work;
                self.free.push(Reverse(done));
                let took = done.saturating_sub(self.now);
                self.after(took, client, epoch, Event::Served);
            }
            Event::Served => {
                self.at_store -= 1;
                let back = self.about(store.round_trip / 2);
                self.after(back, client, epoch, Event::Answered { well: true });
            }
            Event::Answered { well } => {
                self.answer(client, epoch, well);
                self.fill(client, store);
                return Some((client, well));
            }
        }
        None
    }

    /// When the next worker is free.
    fn worker(&mut self, workers: usize) -> Duration {
        while self.free.len() > workers {
            self.free.pop();
        }
        let free = match self.free.pop() {
            Some(Reverse(free)) if self.free.len() + 1 == workers => free,
            // There is a worker that has had no work yet.
            Some(other) => {
                self.free.push(other);
                self.now
            }
            None => self.now,
        };
        free.max(self.now)
    }

    fn answer(&mut self, client: usize, epoch: u64, well: bool) {
        let client = &mut self.clients[client];
        let change = if well {
            client.answers += 1;
            let change = client.limit.succeeded(epoch, self.now);
            client.limit.left();
            change
        } else {
            client.limit.left();
            client.limit.refused(epoch)
        };
        if matches!(change, Some(Change { to: CEILING, .. })) {
            self.at_ceiling.get_or_insert(self.now);
        }
    }

    /// Sends as many requests as the client may.
    fn fill(&mut self, index: usize, store: Store) {
        loop {
            let client = &mut self.clients[index];
            if client.limit.held >= client.limit.limit {
                return;
            }
            let epoch = client.limit.entered();
            let is_new = client.limit.held > client.connections;
            client.connections = client.connections.max(client.limit.held);
            let handshake = if is_new { self.handshake } else { 0 };
            let way = self.about(store.round_trip / 2) + store.round_trip * handshake;
            self.after(way, index, epoch, Event::Arrives);
        }
    }

    fn after(&mut self, time: Duration, client: usize, epoch: u64, event: Event) {
        self.number += 1;
        let coming = (self.now + time, self.number, client, epoch, event);
        self.coming.push(Reverse(coming));
    }

    /// Up to a fifth more or less: no store answers to the microsecond.
    fn about(&mut self, time: Duration) -> Duration {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let percent = 80 + u32::try_from((self.random >> 33) % 41).unwrap();
        time * percent / 100
    }
}
