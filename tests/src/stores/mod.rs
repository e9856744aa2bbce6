//! Every kind of store that can run here, behind one trait: how the program reaches it, and how a test
//! reads and writes its objects without the program.
//!
//! [`all`] starts them, and says which ones cannot run and why. Never here: what is tested. Called by the
//! test of one task in every store.

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

/// Characters that a URL has as they are in a key.
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

    /// The beginning of references to its container, for example `s3://data`.
    fn base(&self) -> String;

    /// The beginning of references to blobs, for a store that has two addresses.
    fn blobs(&self) -> String {
        self.base()
    }

    /// A command that runs the program, with the flags to reach the store.
    fn command(&self) -> Command;

    /// Stores an object.
    fn put(&self, key: &str, content: &[u8]);

    /// An object, if it exists.
    fn get(&self, key: &str) -> Option<Vec<u8>>;

    /// What unfinished uploads of these objects have left.
    fn unfinished(&self, keys: &[String]) -> Vec<String>;

    /// What the store cannot do. A test leaves that out.
    fn lacks(&self) -> Option<Lack> {
        None
    }
}

/// What a store cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// It accepts no uploads of our kind.
    Uploads,
    /// It is a web server: it accepts no uploads, and has no listings.
    Prefixes,
}

/// Starts all stores. Logs which ones cannot run here; in CI one that could run fails the test.
///
/// # Panics
/// If an installed store does not start.
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

/// A percent-encoded key.
#[must_use]
pub fn encoded(key: &str) -> String {
    utf8_percent_encode(key, KEY).to_string()
}
