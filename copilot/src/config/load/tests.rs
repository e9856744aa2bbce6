mod secrets;

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
    assert_eq!(settings.logger.format, LogFormat::Json);
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
        Some(&SettingSource::File(place.path("a.yaml")))
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
fn files_merge_deeply_in_order_of_name() {
    let place = Place::new(&[
        (
            "a.yaml",
            "storage: {stow: {kind: s3, config: {Region: eu-1, endpoint: a}}}\n",
        ),
        (
            "b.json",
            r#"{"storage": {"Stow": {"config": {"endpoint": "b"}}, "container": "c"}}"#,
        ),
        (
            "c.yml",
            "storage:\n  container:\n  stow: {config: [{Auth_Type: iam}]}\n",
        ),
    ]);
    fs::create_dir(place.path("d.yaml")).unwrap();
    let settings = place.settings();
    assert_eq!(
        settings.storage.stow_config,
        map(&[("auth_type", "iam"), ("endpoint", "b"), ("region", "eu-1")])
    );
    assert_eq!(settings.storage.container, "c");
    assert_eq!(settings.files.len(), 3);
    for (entry, file) in [
        ("region", "a.yaml"),
        ("endpoint", "b.json"),
        ("auth_type", "c.yml"),
    ] {
        assert_eq!(
            settings.source(&format!("storage.stow.config.{entry}")),
            Some(&SettingSource::File(place.path(file))),
            "{entry}"
        );
    }
}

#[test]
fn a_backends_keys_come_whole_from_one_source() {
    let file = "storage: {stow: {kind: google, config: {json: '', project_id: p}}}\n";
    let place = Place::new(&[("a.yaml", file)]);
    let expected = map(&[("json", ""), ("project_id", "p")]);
    assert_eq!(place.settings().storage.stow_config, expected);

    let settings = place
        .flag("storage.stow.config", "auth_type=iam")
        .flag("storage.stow.config", "Endpoint=http://x")
        .settings();
    let expected = map(&[("auth_type", "iam"), ("endpoint", "http://x")]);
    assert_eq!(settings.storage.stow_config, expected);
    assert_eq!(
        settings.source("storage.stow.config.endpoint"),
        Some(&SettingSource::Flag)
    );
    assert_eq!(settings.source("storage.stow.config.project_id"), None);
    assert_eq!(settings.storage.stow_kind, "google");
}

#[test]
fn scalars_keep_their_spelling_and_booleans_have_one() {
    let file = "storage: {stow: {config: {access_key_id: 007, secret_key: 1e5, \
                disable_ssl: True, v2_signing: 0, json: }}}\n";
    assert_eq!(
        Place::new(&[("a.yaml", file)])
            .settings()
            .storage
            .stow_config,
        map(&[
            ("access_key_id", "007"),
            ("disable_ssl", "true"),
            ("json", ""),
            ("secret_key", "1e5"),
            ("v2_signing", "false"),
        ])
    );
}

#[test]
fn azure_keys_of_the_platform_chart_are_understood() {
    let file = "storage: {stow: {kind: azure, config: {account: a, configDomainSuffix: d, \
                configUploadConcurrency: 4}}}\n";
    assert_eq!(
        Place::new(&[("a.yaml", file)])
            .settings()
            .storage
            .stow_config,
        map(&[
            ("account", "a"),
            ("domain_suffix", "d"),
            ("upload_concurrency", "4")
        ])
    );
}

#[test]
fn connection_describes_the_store_where_stow_does_not() {
    let file = "storage:\n  type: minio\n  connection: {access-key: k, secret-key: s, \
                auth-type: accesskey, endpoint: 'http://m:9000', disable-ssl: true}\n";
    let place = Place::new(&[("a.yaml", file)]);
    let settings = place.settings();
    assert_eq!(settings.storage.stow_kind, "s3");
    assert_eq!(
        settings.storage.stow_config,
        map(&[
            ("access_key_id", "k"),
            ("auth_type", "accesskey"),
            ("disable_ssl", "true"),
            ("endpoint", "http://m:9000"),
            ("region", "us-east-1"),
            ("secret_key", "s"),
        ])
    );
    assert_eq!(settings.warnings, []);

    let settings = place
        .flag("storage.stow.config", "auth_type=iam")
        .settings();
    assert_eq!(settings.storage.stow_config, map(&[("auth_type", "iam")]));
    assert_eq!(settings.warnings, [Warning::ConnectionIgnored]);
}

#[test]
fn old_and_new_blocks_live_side_by_side() {
    let file = "storage:\n  connection: {region: eu-1}\n  schemes:\n    GS: {kind: google, \
                config: {json: '', disable_ssl: 1}}\n    abfs: {config: [{account: a}]}\n  \
                defaultHttpClient: {headers: {X-Team: [a, b]}}\n";
    let settings = Place::new(&[("a.yaml", file)]).settings();
    let schemes = &settings.storage.schemes;
    assert_eq!(
        settings.storage.stow_config,
        map(&[("auth_type", "iam"), ("region", "eu-1")])
    );
    assert_eq!(schemes["gs"].kind, "google");
    assert_eq!(
        schemes["gs"].config,
        map(&[("disable_ssl", "true"), ("json", "")])
    );
    assert_eq!(schemes["abfs"].config, map(&[("account", "a")]));
    assert_eq!(settings.storage.http.headers, map(&[("x-team", "a, b")]));
    assert_eq!(settings.warnings, []);
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
            format!("unknown key plugins in {file}"),
            format!("unknown key storage.kontainer in {file}"),
            format!("unknown key storage.schemes.s3.colour in {file}"),
            format!("storage.redis (from file {file}) is accepted without effect"),
            "otel.type (from environment variable OTEL.TYPE) is accepted without effect".to_owned(),
        ]
    );
}

#[test]
fn the_default_files_serve_where_nothing_matches() {
    let place = Place::new(&[("one.yaml", "storage: {container: c}\n")]);
    let flags = FlagLayer::default();
    let defaults = [place.path("one.yaml"), place.path("none.yaml")];
    let load = |pattern| {
        load(&SettingSources {
            flags: &flags,
            environment: &|_| None,
            pattern,
            default_files: &defaults,
        })
        .unwrap()
    };
    let settings = load(None);
    assert_eq!(settings.storage.container, "c");
    assert_eq!(settings.warnings, []);
    let settings = load(Some("/nonexistent/*.yaml"));
    assert_eq!(settings.files, [place.path("one.yaml")]);
    let pattern = "/nonexistent/*.yaml".to_owned();
    assert_eq!(settings.warnings, [Warning::NothingMatched { pattern }]);
}

#[test]
fn default_places() {
    let places = default_files(&|name| (name == "GOPATH").then(|| OsString::from("/go")));
    let places: Vec<_> = places.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(
        places,
        [
            "config.yaml",
            "/etc/flyte/config/config.yaml",
            "/go/src/github.com/lyft/flytestdlib/config.yaml",
        ]
    );
    assert_eq!(default_files(&|_| None).len(), 2);
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
        ("logger: {level: hunter2}\n", "a whole number"),
        ("logger: {formatter: {type: xml}}\n", "json, text or gcp"),
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
