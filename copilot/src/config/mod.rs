//! Settings of stores, of the log and of ours: flag > environment > file > default. The source of each value is
//! kept, so messages can name it.
//!
//! Here: the table of keys ([`KEYS`]), reading files, environment and flag texts, and their order.
//! Never here: opening a store, the grammar of the command line, or what a command decides. `cli` fills
//! the [`FlagLayer`], `command` calls [`load()`], and `store` reads the resulting [`StorageSettings`]. Our own
//! settings ([`load_own()`]) become flags (`cli::own`).

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
mod own;
mod pairs;
mod resolve;
pub(crate) mod secret;
mod settings;
mod shown;
mod source;
mod storage;
mod syntax;
pub(crate) mod yaml;

pub use environment::{unknown_variables, variable};
pub use error::{ConfigError, FileRule, GrammarError, Warning};
pub use key::{KEYS, Key, KeyKind};
pub use layer::{FlagLayer, SettingValue};
pub use load::{default_files, load, load_own};
pub use logger::{LogFormat, LogLevel, LoggerSettings};
pub use own::{FlagSources, OwnSetting, OwnSettings};
pub use pairs::parse as parse_pairs;
pub use secret::{Secret, SecretPairs, secret_parts};
pub use settings::{SettingSources, Settings, ShownSetting};
pub use source::SettingSource;
pub use storage::{
    HttpSettings, S3Settings, SchemeSettings, SignPayload, StorageSettings, UploadChecksum,
};
pub use syntax::{SyntaxError, boolean, integer};
