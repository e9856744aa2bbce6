//! Every kind of store that can run here, behind one trait: how the program reaches it, and how a test
//! looks into it without the program.
//!
//! [`all`] starts them and says which do not run, and why. Never here: the tests. Caller: the test of one
//! task in every store.

mod amazon;
mod azure;
mod google;
mod local;
mod web;

use std::process::Command;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::emulator::{AZURITE, FAKE_GCS};
use crate::minio::MINIO;
use crate::requirement::Requirement;

pub use amazon::{Amazon, InMinio};
pub use azure::Azure;
pub use google::{FakeGoogle, Google};
pub use local::Local;
pub use web::Web;

/// What a key may hold as it is in an address.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// A store with the container `data`.
pub trait Store {
    /// For messages.
    fn name(&self) -> &'static str;

    /// What references to its container begin with, e.g. `s3://data`.
    fn base(&self) -> String;

    /// What references to blobs begin with, if it has two addresses.
    fn blobs(&self) -> String {
        self.base()
    }

    /// The program, with the settings that reach it.
    fn command(&self) -> Command;

    /// Puts an object there.
    fn put(&self, key: &str, content: &[u8]);

    /// An object, if there is one.
    fn get(&self, key: &str) -> Option<Vec<u8>>;

    /// What is left of uploads of these objects that never ended.
    fn unfinished(&self, keys: &[String]) -> Vec<String>;

    /// What it cannot do, so a test leaves it out.
    fn lacks(&self) -> Option<Lack> {
        None
    }
}

/// What a store cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// It accepts no objects from us.
    Uploads,
    /// A web server: it accepts nothing and lists nothing.
    Prefixes,
}

/// Starts all stores. Those that cannot run here are named, and fail in CI where they could.
///
/// # Panics
/// If one that is here does not start.
#[must_use]
pub fn all() -> Vec<Box<dyn Store>> {
    let mut stores: Vec<Box<dyn Store>> = vec![
        Box::new(Amazon::start()),
        Box::new(Local::make()),
        Box::new(Web::start()),
        Box::new(Google::start()),
    ];
    if Requirement::Emulator(MINIO).is_met() {
        stores.push(Box::new(InMinio::start()));
    }
    if Requirement::Emulator(FAKE_GCS).is_met() {
        stores.push(Box::new(FakeGoogle::start()));
    }
    if Requirement::Emulator(AZURITE).is_met() {
        stores.push(Box::new(Azure::start()));
    }
    stores
}

/// A key in an address.
#[must_use]
pub fn encoded(key: &str) -> String {
    utf8_percent_encode(key, KEY).to_string()
}
