//! What every job needs: settings, a log, an engine over the stores.

use std::env;
use std::sync::Arc;

use thiserror::Error;
use tracing::{info, warn};

use super::conclude::RunExit;
use super::log;
use super::report_file::ReportFile;
use super::request::Global;
use crate::config::{self, ConfigError, SettingSources, Settings};
use crate::report::Timeline;
use crate::store::{Environment, Network, Reference, ReferenceError, StoreError, Stores};
use crate::transfer::{Engine, TransferLimits};

/// Why a job cannot begin.
#[derive(Debug, Error)]
pub(super) enum SessionError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The prefix for results is not a reference.
    #[error("--to-output-prefix: {0}")]
    Prefix(#[from] ReferenceError),
    /// The settings describe no store for results.
    #[error("--to-output-prefix: {0}")]
    Store(#[from] StoreError),
}

/// Everything a job needs.
pub(super) struct Session {
    /// Moves bytes. No store is opened before it is used.
    pub(super) engine: Engine,
}

impl Session {
    /// Loads the settings, sets up the log, and checks that the settings describe a store for `prefix`; an
    /// empty prefix needs none. Sends nothing to the store.
    ///
    /// This comes first, as in the reference: a run of hours is wasted if its results have nowhere to go.
    pub(super) fn open(global: &Global, prefix: &str) -> Result<Self, SessionError> {
        let settings = load_settings(global)?;
        log::set_up(&settings.logger);
        say_what_is_odd(global, &settings);
        let engine = engine(global, settings);
        if !prefix.is_empty() {
            engine.stores().open(&Reference::prefix(prefix)?)?;
        }
        Ok(Self { engine })
    }
}

/// The settings of flags, environment and files.
pub(super) fn load_settings(global: &Global) -> Result<Settings, ConfigError> {
    let environment = |name: &str| env::var_os(name);
    config::load(&SettingSources {
        flags: &global.settings,
        environment: &environment,
        pattern: global.config.as_deref(),
        default_files: &config::default_files(&environment),
    })
}

fn engine(global: &Global, settings: Settings) -> Engine {
    let connections = global.max_connections.map(|count| count.get() as usize);
    let limits = TransferLimits::from_own_cgroup().chosen(global.max_memory, connections);
    let network = Network {
        connections: limits.connections,
        ..Network::default()
    };
    let stores = Stores::new(settings.storage, network, Environment::from_process());
    Engine::new(Arc::new(stores), limits).showing(log::display())
}

fn say_what_is_odd(global: &Global, settings: &Settings) {
    for warning in &settings.warnings {
        warn!("{warning}");
    }
    if !global.without_effect.is_empty() {
        // The platform passes some of them in every pod, so it is not a warning.
        info!(
            flags = global.without_effect.join(" "),
            "flags that are accepted without effect"
        );
    }
}

/// Writes the times of the run: one log line and, with `--timeline`, a file.
pub(super) fn write_timeline(timeline: &mut Timeline, file: Option<&ReportFile>, exit: RunExit) {
    timeline.note("copilot_exit_code", exit.code());
    if let Some(peak) = peak_memory() {
        timeline.note("peak_rss_bytes", peak);
    }
    let text = timeline.to_json().to_string();
    info!(timeline = text, "the run");
    let Some(file) = file else {
        return;
    };
    if let Err(error) = file.replace(text.as_bytes()) {
        warn!(path = %file.path().display(), %error, "cannot write the timeline");
    }
}

/// The largest resident size of this process so far, in bytes.
fn peak_memory() -> Option<u64> {
    let status = procfs::process::Process::myself().ok()?.status().ok()?;
    Some(status.vmhwm? * 1024)
}
