//! The vectors that platforms pass (spec §2.2), the files that they mount, the environment (spec §1.7).

use super::{Row, check, pairs};

const SEEN: &str = "GET /data/t/inputs.pb as ID in eu-west-3";

/// The first flags of all vectors since the maintenance branch.
const HEAD: &str = "--storage.limits.maxDownloadMBs=0 --storage.enable-multicontainer \
                    --storage.container=data";

const CONNECTION: &str = "--storage.connection.secret-key=s3cret \
                          --storage.connection.access-key=ID \
                          --storage.connection.auth-type=accesskey \
                          --storage.connection.region=eu-west-3 \
                          --storage.connection.endpoint=http://HOST";

const FILE: &str = "storage:\n  type: stow\n  stow:\n    kind: s3\n    config:\n      \
                    auth_type: accesskey\n      access_key_id: ID\n      secret_key: s3cret\n      \
                    endpoint: http://HOST\n      region: eu-west-3\n      disable_ssl: true\n";

#[test]
fn vectors() {
    let keys = "--storage.stow.config endpoint=http://HOST --storage.stow.config auth_type=accesskey \
                --storage.stow.config access_key_id=ID --storage.stow.config region=eu-west-3 \
                --storage.stow.config secret_key=s3cret --storage.stow.kind=s3";
    let secret = "--config DIR/copilot/*.yaml";
    check(&[
        // Head: keys, a mounted Secret, both.
        Row::new(
            format!("{HEAD} --logger.level=4 --storage.type=stow {keys}"),
            SEEN,
        ),
        Row::new(
            format!("{HEAD} --logger.level=4 --storage.type=stow {secret}"),
            SEEN,
        )
        .files(&[("copilot/storage.yaml", FILE)]),
        Row::new(format!("{HEAD} --storage.type=stow {secret} {keys}"), SEEN).files(&[(
            "copilot/storage.yaml",
            "storage: {stow: {config: {access_key_id: OLD}}}",
        )]),
        // The type does not determine the backend there.
        Row::new(format!("{HEAD} --storage.type=s3 {keys}"), SEEN),
        Row::new(format!("{HEAD} --storage.type=minio {keys}"), SEEN),
        // Maintenance and before: a connection.
        Row::new(format!("{HEAD} --storage.type=s3 {CONNECTION}"), SEEN),
        Row::new(format!("{HEAD} --storage.type=minio {CONNECTION}"), SEEN),
        // Another bucket, since all may be opened.
        Row::new(
            format!("{HEAD} --storage.type=stow {keys}"),
            "GET /other/t/inputs.pb as ID in eu-west-3",
        )
        .from("s3://other/t"),
        // One store for all schemes without their own store.
        Row::new(format!("{HEAD} --storage.type=minio {CONNECTION}"), SEEN).from("minio://data/t"),
        Row::new(
            format!("{HEAD} --storage.type=minio {CONNECTION} --storage.single-store"),
            SEEN,
        )
        .from("gs://data/t"),
        // The first one: a map of files.
        Row::new("--config DIR/config**/*", SEEN).files(&[(
            "config-data/config.yaml",
            "storage:\n  type: s3\n  container: data\n  connection:\n    auth-type: accesskey\n    \
             access-key: ID\n    secret-key: s3cret\n    endpoint: http://HOST\n    \
             region: eu-west-3\n",
        )]),
        Row::new(
            format!(
                "{HEAD} --storage.type=s3 --storage.connection.endpoint=HOST \
                 --storage.connection.disable-ssl --storage.connection.auth-type=iam"
            ),
            "GET /data/t/inputs.pb as OWN in us-east-1",
        )
        .variables(&[("AWS_ACCESS_KEY_ID", "OWN"), ("AWS_SECRET_ACCESS_KEY", "s")]),
    ]);
}

#[test]
fn files() {
    let row = || Row::new("--config DIR/*.* --storage.container=data", SEEN);
    check(&[
        row().files(&[("a.yaml", FILE)]),
        // Merged deeply in the order of names; unknown keys only cause a warning.
        row().files(&[
            ("a.yaml", FILE),
            (
                "b.yaml",
                "storage: {stow: {config: {region: us-2}}, colour: blue}\nplugins: 1\n",
            ),
            (
                "c.json",
                r#"{"Storage": {"stow": {"config": [{"Region": "eu-west-3"}]}}}"#,
            ),
        ]),
        // All keys of a store come from one source: keys from the file are not mixed in.
        Row::new(
            format!(
                "--config DIR/*.yaml {}",
                pairs(
                    "s3",
                    &["access_key_id=FLAG", "secret_key=s", "endpoint=http://HOST"]
                )
            ),
            "GET /data/t/inputs.pb as FLAG in us-east-1",
        )
        .files(&[("a.yaml", FILE)]),
        row()
            .files(&[(
                "a.yaml",
                "storage:\n  stow: {kind: s3, config: {access_key_id: 007, secret_key: 1e5, \
             endpoint: 'http://HOST'}}\n  defaultHttpClient: {headers: {X-Team: [a, b]}}\n",
            )])
            .sees("GET /data/t/inputs.pb as 007 in us-east-1 x-team=a, b"),
        // Another scheme's own store.
        row()
            .files(&[
                ("a.yaml", FILE),
                (
                    "b.yaml",
                    "storage: {schemes: {gs: {kind: google, config: {endpoint: 'http://HOST/g'}}}}",
                ),
            ])
            .variables(&[("GCE_METADATA_HOST", "HOST")])
            .from("gs://elsewhere/t")
            .sees("GET /g/elsewhere/t/inputs.pb as Bearer TOKEN"),
        // And one of S3's, whose identity is then the pod's.
        row()
            .files(&[(
                "a.yaml",
                "storage:\n  stow: {kind: google, config: {json: ''}}\n  schemes: {s3: {config: \
             {endpoint: 'http://HOST', region: eu-west-3}}}\n",
            )])
            .variables(&[("AWS_ACCESS_KEY_ID", "ID"), ("AWS_SECRET_ACCESS_KEY", "s")])
            .sees(SEEN),
    ]);
}

#[test]
fn environment() {
    let keys = "--storage.stow.config access_key_id=ID --storage.stow.config secret_key=s \
                --storage.stow.config region=eu-west-3 --storage.stow.config endpoint=http://HOST";
    check(&[
        Row::new(keys, SEEN).variables(&[("STORAGE.CONTAINER", "data")]),
        Row::new(keys, SEEN).variables(&[
            ("STORAGE_CONTAINER", "data"),
            ("STORAGE_STOW_KIND", "s3"),
            ("STORAGE_TYPE", "stow"),
        ]),
        // A flag takes precedence.
        Row::new(format!("{keys} --storage.container=data"), SEEN)
            .variables(&[("STORAGE.CONTAINER", "other")]),
        Row::new(keys, "GET /other/t/inputs.pb as ID in eu-west-3")
            .variables(&[
                ("STORAGE.CONTAINER", "data"),
                ("STORAGE.ENABLE_MULTICONTAINER", "true"),
            ])
            .from("s3://other/t"),
        Row::new("", SEEN).variables(&[
            ("STORAGE_CONTAINER", "data"),
            ("STORAGE_TYPE", "minio"),
            ("STORAGE_CONNECTION_ENDPOINT", "http://HOST"),
            ("STORAGE_CONNECTION_AUTH_TYPE", "accesskey"),
            ("STORAGE_CONNECTION_ACCESS_KEY", "ID"),
            ("STORAGE_CONNECTION_SECRET_KEY", "s"),
            ("STORAGE_CONNECTION_REGION", "eu-west-3"),
        ]),
    ]);
}
