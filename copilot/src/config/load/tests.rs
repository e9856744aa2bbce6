mod files;
mod own;
mod secrets;
mod storage;
mod values;

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::config::{FlagLayer, SettingSource};
use crate::config::{Key, LogFormat, LogLevel, SettingValue, SignPayload, UploadChecksum};

/// A place for configuration files, and a run's sources that point there.
struct Place {
    directory: tempfile::TempDir,
    flags: FlagLayer,
    environment: BTreeMap<&'static str, &'static str>,
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        Self {
            directory,
            flags: FlagLayer::default(),
            environment: BTreeMap::new(),
        }
    }

    fn flag(mut self, name: &str, text: &str) -> Self {
        let key = Key::find(name).unwrap();
        self.flags
            .give(key, SettingValue::read(key.kind, text).unwrap());
        self
    }

    fn variable(mut self, name: &'static str, text: &'static str) -> Self {
        self.environment.insert(name, text);
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn line(&self, name: &str, line: usize) -> SettingSource {
        SettingSource::File {
            path: self.path(name),
            line: Some(line),
        }
    }

    fn load(&self) -> Result<Settings, ConfigError> {
        load(&SettingSources {
            flags: &self.flags,
            environment: &|name| self.environment.get(name).map(OsString::from),
            pattern: self.path("*").to_str(),
            default_files: &[],
        })
    }

    fn settings(&self) -> Settings {
        self.load().unwrap()
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn defaults_are_the_references_but_for_a_log_that_says_more() {
    let settings = Place::new(&[]).settings();
    let storage = &settings.storage;
    assert_eq!(storage.store_type, "stow");
    assert_eq!(storage.stow_kind, "s3");
    assert_eq!(storage.stow_config, map(&[("region", "us-east-1")]));
    assert_eq!(storage.container, "");
    assert!(!storage.multicontainer);
    assert_eq!(storage.max_download_mib, 2);
    assert_eq!(settings.logger.level, LogLevel::Info);
    assert_eq!(settings.logger.format, LogFormat::Auto);
    assert_eq!(
        settings.source("storage.type"),
        Some(&SettingSource::Default)
    );
    assert_eq!(settings.source("storage.connection.region"), None);
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let file = "storage: {container: file}\n";
    let place = Place::new(&[("a.yaml", file)]);
    let settings = place.settings();
    assert_eq!(settings.storage.container, "file");
    assert_eq!(
        settings.source("storage.container"),
        Some(&place.line("a.yaml", 1))
    );

    let place = place.variable("STORAGE.CONTAINER", "variable");
    let settings = place.settings();
    assert_eq!(settings.storage.container, "variable");
    assert_eq!(
        settings.source("storage.container"),
        Some(&SettingSource::Environment("STORAGE.CONTAINER".to_owned()))
    );

    let settings = place.flag("storage.container", "flag").settings();
    assert_eq!(settings.storage.container, "flag");
    assert_eq!(
        settings.source("storage.container"),
        Some(&SettingSource::Flag)
    );
}

#[test]
fn environment_names_and_empty_values() {
    let settings = Place::new(&[("a.yaml", "logger: {level: 5}\n")])
        .variable("STORAGE_ENABLE_MULTICONTAINER", "yes")
        .variable("STORAGE_LIMITS_MAXDOWNLOADMBS", "0")
        .variable("LOGGER.LEVEL", "")
        .variable("LOGGER.MUTE", "1")
        .variable("STORAGE_S3_SIGN_PAYLOAD", "Never")
        .variable("STORAGE_S3_UPLOAD-CHECKSUM", "crc64nvme")
        .settings();
    let s3 = settings.storage.s3;
    assert_eq!(s3.sign_payload, SignPayload::Never);
    assert_eq!(s3.upload_checksum, UploadChecksum::Crc64Nvme);
    assert!(settings.storage.multicontainer);
    assert_eq!(settings.storage.max_download_mib, 0);
    assert_eq!(settings.logger.level, LogLevel::Debug);
    assert!(settings.logger.mute);
}

#[test]
fn unknown_and_inert_keys_are_warned_of() {
    let file =
        "storage: {kontainer: x, redis: {addr: y}, schemes: {s3: {colour: z}}}\nplugins: 1\n";
    let place = Place::new(&[("a.yaml", file)]).variable("OTEL.TYPE", "file");
    let warnings: Vec<String> = place
        .settings()
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    let file = place.path("a.yaml");
    let file = file.display();
    assert_eq!(
        warnings,
        [
            format!("unknown key plugins in file {file}, line 2"),
            format!(
                "unknown key storage.kontainer in file {file}, line 1; did you mean storage.container?"
            ),
            format!("unknown key storage.schemes.s3.colour in file {file}, line 1"),
            format!("storage.redis (from file {file}, line 1) is accepted without effect"),
            "otel.type (from environment variable OTEL.TYPE) is accepted without effect".to_owned(),
        ]
    );
}

#[test]
fn wrong_values_name_key_and_place_but_no_secret() {
    for (text, words) in [
        ("storage: hunter2\n", "storage (from file"),
        (
            "storage: {container: [hunter2]}\n",
            "storage.container (from file",
        ),
        (
            "storage: {enable-multicontainer: hunter2}\n",
            "storage.enable-multicontainer",
        ),
        (
            "storage: {limits: {maxDownloadMBs: -1}}\n",
            "0 (no limit) or more",
        ),
        (
            "storage: {s3: {sign-payload: hunter2}}\n",
            "always or never",
        ),
        ("logger: {level: -1}\n", "logger.level (from file"),
        ("logger: {level: hunter2}\n", "warn, info or debug"),
        ("logger: {formatter: {type: xml}}\n", "text, json or gcp"),
        (
            "storage: {stow: {config: hunter2}}\n",
            "storage.stow.config (from file",
        ),
        (
            "storage: {stow: {config: {secret_key: [hunter2]}}}\n",
            "storage.stow.config.secret_key",
        ),
        (
            "storage: {stow: {config: {disable_ssl: hunter2}}}\n",
            "storage.stow.config.disable_ssl (from file",
        ),
        (
            "storage: {schemes: {s3: {config: {disable_ssl: hunter2}}}}\n",
            "storage.schemes.s3.config.disable_ssl",
        ),
        (
            "storage: {schemes: {s3: {kind: [a]}}}\n",
            "storage.schemes.s3.kind",
        ),
    ] {
        let error = Place::new(&[("a.yaml", text)])
            .load()
            .expect_err(text)
            .to_string();
        assert!(error.contains(words), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{text}: {error}");
    }
}

#[test]
fn no_secret_shows_in_debug_output() {
    let file = "storage:\n  stow: {config: {secret_key: hunter2}}\n  schemes: {gs: {config: \
                {json: hunter2}}}\n  defaultHttpClient: {headers: {authorization: hunter2}}\n";
    let place = Place::new(&[("a.yaml", file)])
        .flag("storage.connection.secret-key", "hunter2")
        .flag("storage.stow.config", "token=hunter2");
    for shown in [
        format!("{:?}", place.settings()),
        format!("{:?}", place.flags),
    ] {
        assert!(shown.contains("(hidden)"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
