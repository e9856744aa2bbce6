//! What every job needs: settings, a log, an engine over the stores.

use std::env;
use std::sync::Arc;

use thiserror::Error;
use tracing::{info, warn};

use super::conclude::Conclusion;
use super::log;
use super::request::Global;
use super::times::Times;
use crate::config::{self, ConfigError, SettingSources, Settings, Warning};
use crate::report::Timeline;
use crate::store::{Environment, Network, Reference, ReferenceError, StoreError, Stores};
use crate::transfer::{Engine, TransferLimits};

/// Why a job cannot begin.
#[derive(Debug, Error)]
pub(super) enum SessionError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A setting that nobody reads, and `--strict`.
    #[error("{0}; --strict refuses it")]
    Strict(Warning),
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
        let environment = |name: &str| env::var_os(name);
        let mut settings = config::load(&SettingSources {
            flags: &global.settings,
            environment: &environment,
            pattern: global.config.as_deref(),
            default_files: &config::default_files(&environment),
        })?;
        log::set_up(&settings.logger);
        let variables = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        settings
            .warnings
            .extend(config::unknown_variables(variables));
        if global.strict
            && let Some(unknown) = settings.warnings.iter().find(|odd| odd.is_unknown())
        {
            return Err(SessionError::Strict(unknown.clone()));
        }
        say_what_is_odd(global, &settings);
        let engine = engine(global, settings);
        if !prefix.is_empty() {
            engine.stores().open(&Reference::prefix(prefix)?)?;
        }
        Ok(Self { engine })
    }
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
    for word in &global.stray_words {
        warn!(
            word,
            "no flag takes this word, so it is ignored; a value with blanks needs quotes, and --strict refuses such words"
        );
    }
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

/// Writes the times of the run: one log line and, with `--timeline`, files or objects.
pub(super) async fn write_timeline(
    timeline: &mut Timeline,
    times: Option<&Times>,
    conclusion: &Conclusion,
    engine: &Engine,
) {
    timeline.note("copilot_exit_code", conclusion.exit.code());
    if let Some(code) = &conclusion.failure {
        timeline.note("failure", code.as_ref());
    }
    if let Some(peak) = peak_memory() {
        timeline.note("peak_rss_bytes", peak);
    }
    let text = timeline.to_json().to_string();
    // A person reads the message, a log stack the object.
    info!(timeline = text, "{}", timeline.line());
    if let Some(times) = times {
        times.write(timeline, engine).await;
    }
}

/// The largest resident size of this process so far, in bytes.
fn peak_memory() -> Option<u64> {
    let status = procfs::process::Process::myself().ok()?.status().ok()?;
    Some(status.vmhwm? * 1024)
}
