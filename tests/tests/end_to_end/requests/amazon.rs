//! S3's keys (spec §6.4), each in each of its spellings.

use super::{Row, check, pairs};

const KEYS: [&str; 2] = ["access_key_id=ID", "secret_key=s3cret"];

/// The credentials of a request, with the default region.
const PLAIN: &str = "GET /data/t/inputs.pb as ID in us-east-1";

fn s3(more: &[&str]) -> String {
    pairs("s3", &[&KEYS[..], more].concat())
}

/// Flags, and what is seen through a proxy for plain HTTP and for TLS.
fn proxied(more: &[&str], sees: &'static str) -> Row {
    Row::new(s3(more), sees).variables(&[
        ("HTTP_PROXY", "http://HOST"),
        ("HTTPS_PROXY", "http://HOST"),
        ("NO_PROXY", ""),
    ])
}

#[test]
fn credentials_and_address() {
    check(&[
        Row::new(s3(&["endpoint=http://HOST"]), PLAIN),
        Row::new(s3(&["endpoint=http://HOST", "auth_type=accesskey"]), PLAIN),
        // Names in upper and lower case.
        Row::new(s3(&["Endpoint=http://HOST", "AUTH_TYPE=accesskey"]), PLAIN),
        Row::new(
            s3(&["endpoint=http://HOST", "region=eu-west-3", "token=T/1"]),
            "GET /data/t/inputs.pb as ID in eu-west-3 x-amz-security-token=T/1",
        ),
        // Several in one flag, as from old platforms.
        Row::new(
            s3(&["endpoint=http://HOST,region=eu-west-3"]),
            "GET /data/t/inputs.pb as ID in eu-west-3",
        ),
        Row::new(
            s3(&["endpoint=http://HOST/base/"]),
            "GET /base/data/t/inputs.pb as ID in us-east-1",
        ),
        Row::new(s3(&["endpoint=http://HOST", "v2_signing=false"]), PLAIN),
        // The pod's own keys.
        Row::new(
            pairs("s3", &["auth_type=iam", "endpoint=http://HOST"]),
            PLAIN,
        )
        .variables(&[("AWS_ACCESS_KEY_ID", "ID"), ("AWS_SECRET_ACCESS_KEY", "s")]),
        Row::new(
            pairs(
                "s3",
                &[
                    "access_key_id=ID",
                    "secret_key_path=DIR/secret",
                    "endpoint=http://HOST",
                ],
            ),
            PLAIN,
        )
        .files(&[("secret", "s3cret\n")]),
    ]);
}

#[test]
fn every_spelling_of_disable_ssl() {
    let plain = ["true", "True", "TRUE", "t", "1"];
    let plain = plain.map(|word| {
        Row::new(
            s3(&["endpoint=HOST", &format!("disable_ssl={word}")]),
            PLAIN,
        )
    });
    check(&plain);
    // A scheme in the endpoint takes precedence.
    check(&[Row::new(
        s3(&["endpoint=http://HOST", "disable_ssl=false"]),
        PLAIN,
    )]);
    let tls = ["false", "False", "0", ""];
    let tls = tls.map(|word| {
        let sees = "CONNECT minio.example:443";
        proxied(
            &["endpoint=minio.example", &format!("disable_ssl={word}")],
            sees,
        )
    });
    check(&tls);
    // As YAML writes them.
    let of_file =
        |text| Row::new("--config DIR/*.yaml --storage.container=data", PLAIN).files(text);
    check(&[
        of_file(&[(
            "a.yaml",
            "storage: {stow: {kind: s3, config: {access_key_id: ID, secret_key: s, endpoint: 'HOST', disable_ssl: true}}}",
        )]),
        of_file(&[(
            "a.yaml",
            "storage: {stow: {kind: s3, config: {access_key_id: ID, secret_key: s, endpoint: 'HOST', disable_ssl: yes}}}",
        )]),
        of_file(&[(
            "a.yaml",
            "storage: {stow: {kind: s3, config: {access_key_id: ID, secret_key: s, endpoint: 'HOST', disable_ssl: '1'}}}",
        )]),
    ]);
}

/// The bucket is part of the host name, unless an endpoint is set or the name is not valid there.
#[test]
fn addressing() {
    check(&[
        proxied(
            &["disable_ssl=true"],
            "GET http://data.s3.us-east-1.amazonaws.com/t/inputs.pb as ID in us-east-1",
        ),
        proxied(
            &["disable_ssl=true", "region=cn-north-1"],
            "GET http://data.s3.cn-north-1.amazonaws.com.cn/t/inputs.pb as ID in cn-north-1",
        ),
        // It matters that the key is present, even if it is empty.
        proxied(
            &["disable_ssl=true", "endpoint="],
            "GET http://s3.us-east-1.amazonaws.com/data/t/inputs.pb as ID in us-east-1",
        ),
        proxied(
            &["endpoint=http://minio.example:9000"],
            "GET http://minio.example:9000/data/t/inputs.pb as ID in us-east-1",
        ),
        proxied(
            &["endpoint=http://oss.example", "addressing=virtual"],
            "GET http://data.oss.example/t/inputs.pb as ID in us-east-1",
        ),
        proxied(
            &["disable_ssl=true", "addressing=path"],
            "GET http://s3.us-east-1.amazonaws.com/data/t/inputs.pb as ID in us-east-1",
        ),
        proxied(
            &["disable_ssl=true --storage.container=my.data"],
            "GET http://s3.us-east-1.amazonaws.com/my.data/t/inputs.pb as ID in us-east-1",
        )
        .from("s3://my.data/t"),
        proxied(&[], "CONNECT data.s3.us-east-1.amazonaws.com:443"),
        // The defaults of the platform: a region, and no endpoint.
        proxied(
            &["region=eu-west-3"],
            "CONNECT data.s3.eu-west-3.amazonaws.com:443",
        ),
    ]);
}

/// `0.0.0.0` is this machine, too, but unlike its other names it does not bypass proxies.
#[test]
fn proxies_and_exceptions() {
    let to = |endpoint: &str, sees| Row::new(s3(&[&format!("endpoint={endpoint}")]), sees);
    let near = || to("http://0.0.0.0:PORT", PLAIN);
    check(&[
        near().variables(&[
            ("HTTP_PROXY", "http://127.0.0.1:9"),
            ("NO_PROXY", "0.0.0.0,.example"),
        ]),
        near().variables(&[
            ("HTTP_PROXY", "http://127.0.0.1:9"),
            ("NO_PROXY", "0.0.0.0/8"),
        ]),
        near().variables(&[("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "")]),
        to(
            "http://0.0.0.0:9",
            "GET http://0.0.0.0:9/data/t/inputs.pb as ID in us-east-1",
        )
        .variables(&[("HTTP_PROXY", "http://HOST"), ("NO_PROXY", "")]),
        to(
            "http://other.example",
            "GET http://other.example/data/t/inputs.pb as ID in us-east-1",
        )
        .variables(&[("http_proxy", "http://HOST"), ("NO_PROXY", ".net")]),
        // The names of this machine bypass proxies, whatever the variables say.
        to("http://HOST", PLAIN)
            .variables(&[("HTTP_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "")]),
        to("http://localhost:PORT", PLAIN)
            .variables(&[("ALL_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "")]),
    ]);
}

#[test]
fn refused_settings_cause_no_requests() {
    for (pair, named) in [
        ("v2_signing=true", "signature version 2 is not supported"),
        ("v2_signing=True", "signature version 2 is not supported"),
        ("auth_type=magic", "auth_type=\"magic\""),
        (
            "sign_payload=perhaps",
            "sign_payload: it must be auto, always or never",
        ),
        (
            "upload_checksum=md5",
            "upload_checksum: it must be none, sha256 or crc64nvme",
        ),
        ("secret_key_path=DIR/nothing", "secret_key_path"),
        ("disable_ssl=perhaps", "disable_ssl"),
    ] {
        let row = Row::new(s3(&["endpoint=http://HOST", pair]), "");
        let (asked, ended) = row.run();
        assert!(asked.is_empty(), "{pair}: {asked:?}");
        assert!(ended.message().contains(named), "{pair}: {}", ended.stderr);
        assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
    }
}

/// A misspelt key changes nothing, and is reported without its value, which may be a secret. A secret in the place
/// of a key is not shown either.
#[test]
fn an_unknown_key_causes_a_warning() {
    let row = Row::new(
        s3(&[
            "endpoint=http://HOST",
            "regoin=s3cret",
            "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY=x",
        ]),
        "",
    );
    let (_, ended) = row.run();
    let warned = ended.stderr.lines();
    let warned: Vec<_> = warned
        .filter(|line| line.contains("has no effect"))
        .collect();
    assert_eq!(warned.len(), 2, "{}", ended.stderr);
    assert!(
        warned[0].contains("regoin") && warned[0].contains("did you mean region?"),
        "{warned:?}"
    );
    for secret in ["s3cret", "jalrx", "JalrX"] {
        assert!(!ended.stderr.contains(secret), "{secret}: {}", ended.stderr);
    }
}
