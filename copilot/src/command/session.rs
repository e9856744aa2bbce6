//! What every job needs: settings, a log, an engine over the stores.

use std::env;
use std::sync::Arc;

use thiserror::Error;
use tracing::{info, warn};

use super::conclude::Conclusion;
use super::log;
use super::request::Global;
use super::times::Times;
use crate::config::{
    self, ConfigError, FlagLayer, LogFormat, LogLevel, LoggerSettings, OwnSettings, SchemeSettings,
    SettingSources, Settings, StorageSettings, Warning,
};
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
    /// The flag names no place in a store, or the settings describe no store for it.
    #[error("{flag}: {cause}")]
    Place {
        /// The flag, with its dashes.
        flag: &'static str,
        /// What is wrong.
        #[source]
        cause: Box<StoreError>,
    },
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
        let session = Self::with(global, load_settings(global)?)?;
        if !prefix.is_empty() {
            session.check("--to-output-prefix", Reference::prefix(prefix))?;
        }
        Ok(session)
    }

    /// The same for a job without Flyte, which gives no settings: see [`without_platform`]. `place` is the value of
    /// the flag that names where files come from or go to.
    pub(super) fn for_tree(
        global: &Global,
        flag: &'static str,
        place: Result<Reference, ReferenceError>,
    ) -> Result<Self, SessionError> {
        let mut settings = load_settings(global)?;
        without_platform(global, &mut settings.storage);
        let session = Self::with(global, settings)?;
        session.check(flag, place)?;
        Ok(session)
    }

    /// Sets up the log, and opens no store yet.
    fn with(global: &Global, mut settings: Settings) -> Result<Self, SessionError> {
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
        Ok(Self { engine })
    }

    /// Checks that the settings describe a store for the value of a flag.
    fn check(
        &self,
        flag: &'static str,
        place: Result<Reference, ReferenceError>,
    ) -> Result<(), SessionError> {
        let opened = place
            .map_err(StoreError::from)
            .and_then(|place| self.engine.stores().open(&place));
        opened.map(drop).map_err(|cause| SessionError::Place {
            flag,
            cause: Box::new(cause),
        })
    }

    /// Loads the settings for a command that people run where no platform is: see [`on_this_machine`].
    pub(super) fn for_people(global: &Global) -> Result<Self, SessionError> {
        let mut settings = load_settings(global)?;
        quieten(global, &mut settings.logger);
        log::set_up(&settings.logger);
        on_this_machine(&mut settings.storage);
        lift_limit(global, &mut settings.storage);
        say_what_is_odd(global, &settings);
        let engine = engine(global, settings);
        Ok(Self { engine })
    }
}

/// Changes the settings for a person at a terminal: the log has text, and warnings only, unless flags say otherwise.
fn quieten(global: &Global, logger: &mut LoggerSettings) {
    if global.settings.get("logger.level").is_none() && logger.level == LogLevel::Info {
        logger.level = LogLevel::Warn;
    }
    if global.settings.get("logger.formatter.type").is_none() {
        logger.format = LogFormat::Text;
    }
}

/// Lifts the limit on the size of an object. The platform lifts it for its sidecars by a flag.
fn lift_limit(global: &Global, storage: &mut StorageSettings) {
    let name = "storage.limits.maxDownloadMBs";
    if global.settings.get(name).is_none() {
        storage.max_download_mib = 0;
    }
}

/// Changes the settings of a job without Flyte: as on a person's machine, but a local store that somebody has set up
/// stays what it is.
pub(super) fn without_platform(global: &Global, storage: &mut StorageSettings) {
    let is_local = storage.stow_kind == "local" || storage.store_type == "local";
    if is_local {
        storage.multicontainer = true;
    } else {
        let files = storage.schemes.get("file").cloned();
        on_this_machine(storage);
        if let Some(files) = files {
            storage.schemes.insert("file".to_owned(), files);
        }
    }
    lift_limit(global, storage);
}

/// Changes the settings where no platform gives them: `file:///PATH` names any file of this machine, and buckets
/// are opened with the credentials that are found here.
fn on_this_machine(storage: &mut StorageSettings) {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let is_unset = storage.stow_kind.is_empty() && matches!(&*storage.store_type, "" | "stow");
    if is_unset || storage.stow_kind == "local" || storage.store_type == "local" {
        "stow".clone_into(&mut storage.store_type);
        "s3".clone_into(&mut storage.stow_kind);
        storage.stow_config = [pair("auth_type", "iam")].into();
    }
    let is_given = |key: &str| storage.stow_config.contains_key(key);
    if storage.stow_kind == "s3" && !is_given("auth_type") && !is_given("access_key_id") {
        storage.stow_config.extend([pair("auth_type", "iam")]);
    }
    if storage.container.is_empty() {
        "any".clone_into(&mut storage.container);
    }
    storage.multicontainer = true;
    storage.single_store = false;
    let files = SchemeSettings {
        kind: "local".to_owned(),
        config: [pair("path", "/")].into(),
    };
    storage.schemes.insert("file".to_owned(), files);
}

/// The settings of flags, environment and files.
pub(super) fn load_settings(global: &Global) -> Result<Settings, ConfigError> {
    with_sources(&global.settings, global.config.as_deref(), config::load)
}

/// Our own settings that environment and files give, for a command line; `pattern` is its `--config`.
///
/// # Errors
/// A file cannot be read, or a value is wrong. [`run`](super::run) finds the same when it loads all settings.
pub fn own_settings(pattern: Option<&str>) -> Result<OwnSettings, ConfigError> {
    with_sources(&FlagLayer::default(), pattern, config::load_own)
}

fn with_sources<T>(
    flags: &FlagLayer,
    pattern: Option<&str>,
    load: fn(&SettingSources<'_>) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let environment = |name: &str| env::var_os(name);
    load(&SettingSources {
        flags,
        environment: &environment,
        pattern,
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
    timeline.mark("ended");
    timeline.note("began_at", log::timestamp(timeline.began_at()));
    timeline.note("copilot_exit_code", conclusion.exit.code());
    if let Some(failure) = &conclusion.failure {
        timeline.note("failure", failure.code.as_ref());
    }
    if let Some(peak) = peak_memory() {
        timeline.note("peak_rss_bytes", peak);
    }
    let text = timeline.to_json().to_string();
    // A person reads the message, a log stack the object.
    info!(timeline = text, "{}", timeline.line());
    // The log gives the reason in its last line, and says it once.
    if let Some(failure) = &conclusion.failure {
        timeline.note_failure(failure);
    }
    if let Some(times) = times {
        times.write(timeline, engine).await;
    }
}

/// The largest resident size of this process so far, in bytes.
fn peak_memory() -> Option<u64> {
    let status = procfs::process::Process::myself().ok()?.status().ok()?;
    Some(status.vmhwm? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapted(kind: &str, pairs: &[(&str, &str)]) -> StorageSettings {
        let pairs = pairs.iter();
        let mut storage = StorageSettings {
            store_type: "stow".to_owned(),
            stow_kind: kind.to_owned(),
            stow_config: pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            ..StorageSettings::default()
        };
        on_this_machine(&mut storage);
        storage
    }

    #[test]
    fn stores_need_no_settings_on_this_machine() {
        let storage = adapted("s3", &[("region", "eu-1")]);
        assert_eq!(storage.stow_config["auth_type"], "iam");
        assert_eq!(storage.stow_config["region"], "eu-1");
        assert!(storage.multicontainer && !storage.container.is_empty());
        let file = &storage.schemes["file"];
        assert_eq!((&*file.kind, &*file.config["path"]), ("local", "/"));
        assert_eq!(adapted("", &[]).stow_kind, "s3");
    }

    #[test]
    fn settings_of_stores_stay_unless_they_are_local() {
        let storage = adapted("s3", &[("access_key_id", "x")]);
        assert!(!storage.stow_config.contains_key("auth_type"));
        assert_eq!(adapted("google", &[]).stow_kind, "google");
        let storage = adapted("local", &[("path", "/data")]);
        assert_eq!(storage.stow_kind, "s3");
        assert!(!storage.stow_config.contains_key("path"));
    }
}
