//! Storage and logger settings: flag > environment > file > default, with the source of each
//! value kept so that a person can ask where it came from.
//!
//! Here lives the table of keys ([`KEYS`]), the reading of files, environment and flag texts, and
//! the order in which they win. Never here: opening a store, the command line's own grammar, or
//! anything that a command decides. `cli` fills the [`FlagLayer`], the edge calls [`load()`], and
//! `store` reads the [`StorageSettings`] that come out.

mod environment;
mod error;
mod extract;
mod file;
mod glob;
mod key;
mod layer;
mod load;
mod logger;
pub(crate) mod node;
mod pairs;
mod resolve;
mod secret;
mod storage;
mod syntax;
pub(crate) mod yaml;

pub use error::{ConfigError, Warning};
pub use key::{KEYS, Key, Kind};
pub use layer::{FlagLayer, Value};
pub use load::{Settings, Source, Sources, default_files, load};
pub use logger::{LogFormat, LogLevel, LoggerSettings};
pub use pairs::parse as parse_pairs;
pub use storage::{
    HttpSettings, S3Settings, SchemeSettings, SignPayload, StorageSettings, UploadChecksum,
};
pub use syntax::{SyntaxError, boolean, integer};
