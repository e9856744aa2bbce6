//! How long a watch waits, and for what. Callers: `attach` fills it from the flags, `watch` keeps to it.

use std::time::Duration;

/// Until when main is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// Its end.
    #[default]
    End,
    /// Its start: `--exit-watcher-type noop` does not wait for the end.
    Start,
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For main's start, from the moment the watcher is attached; none for no limit.
    pub start: Option<Duration>,
    /// For main's end, after SIGTERM.
    pub term_wait: Duration,
    /// For the last process of main's container, after main's end.
    pub settle: Duration,
    /// What ends the wait.
    pub until: Until,
}
