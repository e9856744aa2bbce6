//! Literals that are too large for their map: the platform stores them as objects of their own (spec
//! §3.2).
//!
//! This module cannot fetch, so the caller does: it takes the requests, answers each with the object's
//! bytes, and asks again, since an answer may refer to further objects. Depth and number are bounded,
//! so a literal that refers to itself ends in an error.

use std::collections::VecDeque;

use bytes::Buf;
use thiserror::Error;

use crate::idl::{self, DecodeError, Literal, LiteralMap, MOST_VALUES, literal, scalar};
use crate::literal::name::Shown;

/// How many rounds of requests one map may need.
const ROUNDS: usize = 8;
/// How many requests one map may cause.
const REQUESTS: usize = 100_000;

/// How many bytes all answers may have together: many requests may name one object.
const MOST_BYTES: usize = 256 << 20;

/// Why offloaded literals could not be resolved.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OffloadedError {
    /// An object does not hold a literal.
    #[error(
        "variable {}: the offloaded literal at {uri} cannot be read: {cause}",
        Shown(variable)
    )]
    Malformed {
        /// The variable that refers to it.
        variable: String,
        /// The object's URI.
        uri: String,
        /// Why it cannot be read.
        #[source]
        cause: DecodeError,
    },
    /// Offloaded literals refer to each other through too many levels.
    #[error(
        "variable {}: offloaded literals refer to each other through more than {ROUNDS} levels, last to {uri}",
        Shown(variable)
    )]
    TooDeep {
        /// The first variable that needs one more level.
        variable: String,
        /// The next object's URI.
        uri: String,
    },
    /// All offloaded literals together are too large for memory.
    #[error(
        "variable {}: with the one at {uri}, the offloaded literals of all inputs have more than {MOST_BYTES} bytes or {MOST_VALUES} values together; store large data as files",
        Shown(variable)
    )]
    TooLarge {
        /// The variable that refers to it.
        variable: String,
        /// The object's URI.
        uri: String,
    },
    /// The inputs refer to too many of them.
    #[error("the inputs refer to more than {REQUESTS} offloaded literals")]
    TooMany,
    /// The caller answered a request that does not exist.
    #[error("request {0} for an offloaded literal does not exist")]
    NotAsked(usize),
    /// The caller asked for the next requests before it answered the last ones.
    #[error("the request for the offloaded literal at {uri} has no answer")]
    Unanswered {
        /// The object's URI.
        uri: String,
    },
}

/// An offloaded literal that must be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The input variable that refers to it.
    pub variable: String,
    /// The object's URI.
    pub uri: String,
    /// Its declared size in bytes; 0 if unknown.
    pub size: u64,
}

/// A map in which fetched literals replace the references to them.
#[derive(Debug)]
pub struct Offloaded {
    map: LiteralMap,
    requests: Vec<Request>,
    answers: Vec<Option<Literal>>,
    rounds: usize,
    asked: usize,
    bytes: usize,
    values: usize,
}

impl Offloaded {
    /// Begins with a decoded map.
    #[must_use]
    pub fn new(map: LiteralMap) -> Self {
        Self {
            map,
            requests: Vec::new(),
            answers: Vec::new(),
            rounds: 0,
            asked: 0,
            bytes: 0,
            values: 0,
        }
    }

    /// Puts the answers in their places and gives the next requests; empty once the map is complete.
    pub fn requests(&mut self) -> Result<&[Request], OffloadedError> {
        self.put_answers()?;
        let mut requests = Vec::new();
        for (variable, literal) in &mut self.map.literals {
            visit(literal, &mut |found| {
                if let Some(literal::Value::OffloadedMetadata(offloaded)) = &found.value {
                    let uri = offloaded.uri.clone();
                    requests.push(Request {
                        variable: variable.clone(),
                        uri,
                        size: offloaded.size_bytes,
                    });
                }
            });
        }
        self.asked += requests.len();
        if self.asked > REQUESTS {
            return Err(OffloadedError::TooMany);
        }
        if let Some(first) = requests.first() {
            self.rounds += 1;
            if self.rounds > ROUNDS {
                let Request { variable, uri, .. } = first.clone();
                return Err(OffloadedError::TooDeep { variable, uri });
            }
        }
        self.answers = vec![None; requests.len()];
        self.requests = requests;
        Ok(&self.requests)
    }

    /// Answers the request at `index` of the last [`requests`](Self::requests) with its object's
    /// bytes. Answers may come in any order.
    pub fn answer(&mut self, index: usize, mut bytes: impl Buf) -> Result<(), OffloadedError> {
        let (Some(request), Some(place)) = (self.requests.get(index), self.answers.get_mut(index))
        else {
            return Err(OffloadedError::NotAsked(index));
        };
        let Request { variable, uri, .. } = request.clone();
        // Bytes in one piece are not copied.
        let bytes = bytes.copy_to_bytes(bytes.remaining());
        self.bytes += bytes.len();
        self.values += idl::values_in(&bytes);
        if self.bytes > MOST_BYTES || self.values > MOST_VALUES {
            return Err(OffloadedError::TooLarge { variable, uri });
        }
        let literal = idl::decode_literal(bytes).map_err(|cause| OffloadedError::Malformed {
            variable,
            uri,
            cause,
        })?;
        *place = Some(literal);
        Ok(())
    }

    /// The map; complete once [`requests`](Self::requests) is empty.
    #[must_use]
    pub fn into_map(self) -> LiteralMap {
        self.map
    }

    fn put_answers(&mut self) -> Result<(), OffloadedError> {
        if let Some(index) = self.answers.iter().position(Option::is_none) {
            return Err(OffloadedError::Unanswered {
                uri: self.requests[index].uri.clone(),
            });
        }
        let mut answers: VecDeque<Literal> = self.answers.drain(..).flatten().collect();
        for literal in self.map.literals.values_mut() {
            if answers.is_empty() {
                break;
            }
            // The same walk made the requests, so answers come in the same order.
            visit(literal, &mut |found| {
                if let Some(answer) = answers.pop_front() {
                    replace(found, answer);
                }
            });
        }
        Ok(())
    }
}

/// Puts a fetched literal in the place of its reference. What only the reference holds is kept.
fn replace(place: &mut Literal, mut fetched: Literal) {
    if fetched.hash.is_empty() {
        fetched.hash = std::mem::take(&mut place.hash);
    }
    for (key, value) in std::mem::take(&mut place.metadata) {
        fetched.metadata.entry(key).or_insert(value);
    }
    if fetched.artifact_id.is_none() {
        fetched.artifact_id = place.artifact_id.take();
    }
    *place = fetched;
}

/// Calls `found` for each offloaded literal in a fixed order.
fn visit(literal: &mut Literal, found: &mut impl FnMut(&mut Literal)) {
    match &mut literal.value {
        Some(literal::Value::OffloadedMetadata(_)) => found(literal),
        Some(literal::Value::Collection(list)) => {
            for literal in &mut list.literals {
                visit(literal, found);
            }
        }
        Some(literal::Value::Map(map)) => {
            for literal in map.literals.values_mut() {
                visit(literal, found);
            }
        }
        Some(literal::Value::Scalar(scalar)) => {
            if let Some(scalar::Value::Union(union)) = &mut scalar.value
                && let Some(inner) = &mut union.value
            {
                visit(inner, found);
            }
        }
        None => {}
    }
}
