//! A name server for one host: as much of DNS (RFC 1035) as a resolver needs.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Length of a message's header. The question follows it.
const HEADER: usize = 12;

/// The type of a question for an IPv4 address.
const A: u16 = 1;

/// How often the server checks whether it should stop.
const TICK: Duration = Duration::from_millis(50);

/// A running name server. It stops when it is dropped.
#[derive(Debug)]
pub struct NameServer {
    asked: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Listens on 127.0.0.1:53, which a resolver without settings asks, and answers that `host` has
    /// `address`.
    pub fn start(host: &str, address: Ipv4Addr) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53))?;
        socket.set_read_timeout(Some(TICK))?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (log, stopping, host) = (Arc::clone(&asked), Arc::clone(&stop), host.to_owned());
        let thread = std::thread::Builder::new()
            .name("name-server".to_owned())
            .spawn(move || {
                let mut message = [0; 512];
                while !stopping.load(Ordering::Relaxed) {
                    let Ok((length, client)) = socket.recv_from(&mut message) else {
                        continue;
                    };
                    if let Some(question) = Question::read(&message[..length]) {
                        let answer = question.answer(&host, address);
                        log.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(question.name);
                        // A resolver that did not get the answer asks again.
                        let _ = socket.send_to(&answer, client);
                    }
                }
            })?;
        Ok(Self {
            asked,
            stop,
            thread: Some(thread),
        })
    }

    /// The names that resolvers have asked for so far.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Question {
    id: [u8; 2],
    name: String,
    kind: u16,
    /// The question as it was in the message: an answer repeats it.
    raw: Vec<u8>,
}

impl Question {
    fn read(message: &[u8]) -> Option<Self> {
        let mut labels = Vec::new();
        let mut at = HEADER;
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            let label = message.get(at..at + length)?;
            labels.push(String::from_utf8_lossy(label).to_lowercase());
            at += length;
        }
        let kind = message.get(at..at + 2)?;
        Some(Self {
            id: [message[0], message[1]],
            name: labels.join("."),
            kind: u16::from_be_bytes([kind[0], kind[1]]),
            raw: message.get(HEADER..at + 4)?.to_vec(),
        })
    }

    fn answer(&self, host: &str, address: Ipv4Addr) -> Vec<u8> {
        let known = self.name == host;
        let answers = u8::from(known && self.kind == A);
        // A response, recursion desired and available. Code 3: the name does not exist.
        let flags = [0x81, if known { 0x80 } else { 0x83 }];
        let mut message = self.id.to_vec();
        message.extend(flags);
        message.extend([0, 1, 0, answers, 0, 0, 0, 0]);
        message.extend(&self.raw);
        if answers == 1 {
            // A pointer to the name in the question; type A, class IN, for 60 s, four bytes.
            message.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
            message.extend(address.octets());
        }
        message
    }
}
