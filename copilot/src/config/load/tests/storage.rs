//! The section `storage`: Stow's form, the older form, several schemes.

use super::*;

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
