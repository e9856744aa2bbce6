//! Google's, Azure's and the local store's keys (spec §6.4), and kinds that are not supported.

use std::fs;

use super::{Row, check, pairs};

const GOOGLE: &str = "GET /data/t/inputs.pb as Bearer TOKEN";

/// A key: twelve zero bytes.
const KEY: &str = "key=AAAAAAAAAAAAAAAA";

#[test]
fn google() {
    let google = |more: &[&str], sees| {
        Row::new(pairs("google", more), sees)
            .from("gs://data/t")
            .variables(&[("GCE_METADATA_HOST", "HOST")])
    };
    check(&[
        google(&["json=", "project_id=p", "endpoint=http://HOST"], GOOGLE),
        google(&["endpoint=http://HOST"], GOOGLE),
        google(&["endpoint=http://HOST", "scopes=a,b"], GOOGLE),
        Row::new(pairs("google", &["json="]), "GET /data/t/inputs.pb")
            .from("gs://data/t")
            .variables(&[("STORAGE_EMULATOR_HOST", "HOST")]),
        Row::new(pairs("google", &["json="]), "GET /data/t/inputs.pb")
            .from("gs://data/t")
            .variables(&[("STORAGE_EMULATOR_HOST", "http://HOST/")]),
        // The public service.
        Row::new(pairs("google", &[]), "CONNECT storage.googleapis.com:443")
            .from("gs://data/t")
            .variables(&[
                ("GCE_METADATA_HOST", "HOST"),
                ("HTTPS_PROXY", "http://HOST"),
                ("NO_PROXY", ""),
            ]),
    ]);
}

#[test]
fn azure() {
    const SEEN: &str = "GET /me/data/t/inputs.pb as SharedKey me";
    let azure = |more: &[&str], sees| Row::new(pairs("azure", more), sees).from("abfs://data/t");
    let public = |more: &[&str], sees| {
        azure(&[&["account=me", KEY], more].concat(), sees)
            .variables(&[("HTTPS_PROXY", "http://HOST"), ("NO_PROXY", "")])
    };
    let own = ["account=me", "endpoint=http://HOST/me"];
    check(&[
        azure(&[&own[..], &[KEY]].concat(), SEEN),
        azure(&[&own[..], &[KEY]].concat(), SEEN).from("abfss://data@me.dfs.core.windows.net/t"),
        azure(&[&own[..], &[KEY, "upload_concurrency=8"]].concat(), SEEN),
        azure(
            &[&own[..], &["sas_token=sv=1&sig=2"]].concat(),
            "GET /me/data/t/inputs.pb?sv=1&sig=2",
        ),
        public(&[], "CONNECT me.blob.core.windows.net:443"),
        public(
            &["domain_suffix=core.chinacloudapi.cn"],
            "CONNECT me.blob.core.chinacloudapi.cn:443",
        ),
        public(
            &["base_url=core.usgovcloudapi.net"],
            "CONNECT me.blob.core.usgovcloudapi.net:443",
        ),
        public(
            &[
                "configDomainSuffix=core.chinacloudapi.cn",
                "configUploadConcurrency=4",
            ],
            "CONNECT me.blob.core.chinacloudapi.cn:443",
        ),
        // The reference no longer has it; it has no effect there or here.
        public(
            &["use_https=1", "api_version=x"],
            "CONNECT me.blob.core.windows.net:443",
        ),
    ]);
}

/// A connection string, as Azure's portal and its emulator show it.
#[test]
fn azures_connection_string() {
    const SEEN: &str = "GET /me/data/t/inputs.pb as SharedKey me";
    let azure = |text: &str, sees| {
        let pair = format!("\"connection_string={text}\"");
        Row::new(pairs("azure", &[&pair]), sees).from("abfs://data/t")
    };
    let key = "AccountKey=AAAAAAAAAAAAAAAA";
    check(&[
        azure(
            &format!(
                "DefaultEndpointsProtocol=http;AccountName=me;{key};BlobEndpoint=http://HOST/me;"
            ),
            SEEN,
        ),
        azure(
            "BlobEndpoint=http://HOST/me;AccountName=me;SharedAccessSignature=sv=1&sig=2",
            "GET /me/data/t/inputs.pb?sv=1&sig=2",
        ),
        azure(
            &format!("AccountName=me;{key};EndpointSuffix=core.chinacloudapi.cn"),
            "CONNECT me.blob.core.chinacloudapi.cn:443",
        )
        .variables(&[("HTTPS_PROXY", "http://HOST"), ("NO_PROXY", "")]),
        azure(
            &format!("DefaultEndpointsProtocol=http;AccountName=me;{key}"),
            "GET http://me.blob.core.windows.net/data/t/inputs.pb as SharedKey me",
        )
        .variables(&[("HTTP_PROXY", "http://HOST"), ("NO_PROXY", "")]),
    ]);
}

#[test]
fn a_local_store_gets_no_requests() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data/t");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("inputs.pb"), [0xff]).unwrap();
    let path = format!("path={}", place.path().display());
    for kind in ["--storage.type=stow", "--storage.type=local"] {
        let arguments = format!("{} {kind}", pairs("local", &[&path]));
        let (asked, ended) = Row::new(arguments, "").from("file://data/t").run();
        assert!(asked.is_empty());
        // It was found, but it is not a valid message.
        assert!(ended.message().contains("inputs.pb"), "{}", ended.stderr);
        assert!(
            !ended.message().contains("does not exist"),
            "{}",
            ended.stderr
        );
    }
}

/// Settings and references that name a store which is not supported.
#[test]
fn unsupported_stores_are_refused_with_their_name() {
    let of_kind = |kind: &str| pairs(kind, &["endpoint=http://HOST"]);
    let s3 = pairs(
        "s3",
        &["access_key_id=ID", "secret_key=s", "endpoint=http://HOST"],
    );
    let mut cases = vec![
        (format!("{s3} --storage.type=redis"), "x://data/t", "redis"),
        (s3.clone(), "redis://data/t", "redis"),
        (s3.clone(), "os://data/t", "oracle"),
        (s3.clone(), "sw://data/t", "swift"),
    ];
    for kind in ["oracle", "swift", "b2", "sftp", "redis"] {
        cases.push((of_kind(kind), "x://data/t", kind));
    }
    for (arguments, from, kind) in cases {
        let (asked, ended) = Row::new(arguments, "").from(from).run();
        let message = ended.message();
        assert!(message.contains(kind), "{kind}: {}", ended.stderr);
        for part in ["not supported", "kind s3"] {
            assert!(message.contains(part), "{kind}: {message}");
        }
        assert!(asked.is_empty(), "{kind}: {asked:?}");
    }
}
