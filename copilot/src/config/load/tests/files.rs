//! Which files are read, and how they merge.

use super::*;

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
    for (entry, file, line) in [
        ("region", "a.yaml", 1),
        ("endpoint", "b.json", 1),
        ("auth_type", "c.yml", 3),
    ] {
        assert_eq!(
            settings.source(&format!("storage.stow.config.{entry}")),
            Some(&place.line(file, line)),
            "{entry}"
        );
    }
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
