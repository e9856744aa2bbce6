//! The addresses of odd keys in each store that speaks HTTP: slashes at the edges and in pairs, blanks, and
//! characters that URLs escape.

use super::{Row, check, pairs};

const S3: [&str; 3] = [
    "access_key_id=ID",
    "secret_key=s3cret",
    "endpoint=http://HOST",
];

#[test]
fn keys_are_sent_as_they_stand() {
    let s3 = |from, sees| Row::new(pairs("s3", &S3), sees).from(from);
    let google = |from, sees| {
        Row::new(pairs("google", &["json=", "endpoint=http://HOST"]), sees)
            .from(from)
            .variables(&[("GCE_METADATA_HOST", "HOST")])
    };
    let keys = [
        "account=me",
        "endpoint=http://HOST/me",
        "key=AAAAAAAAAAAAAAAA",
    ];
    let azure = |from, sees| Row::new(pairs("azure", &keys), sees).from(from);
    check(&[
        s3(
            "s3://data//a//t",
            "GET /data//a//t/inputs.pb as ID in us-east-1",
        ),
        s3(
            "s3://data/a b+é/t",
            "GET /data/a%20b%2B%C3%A9/t/inputs.pb as ID in us-east-1",
        ),
        google(
            "gs://data//a//t",
            "GET /data//a//t/inputs.pb as Bearer TOKEN",
        ),
        google(
            "gs://data/a b%3F/t",
            "GET /data/a%20b%253F/t/inputs.pb as Bearer TOKEN",
        ),
        azure(
            "abfs://data//a//t",
            "GET /me/data//a//t/inputs.pb as SharedKey me",
        ),
        azure(
            "abfs://data@me.dfs.core.windows.net//a %41/t",
            "GET /me/data//a%20%2541/t/inputs.pb as SharedKey me",
        ),
    ]);
    // The bucket in the host's name.
    let virtual_host = ["access_key_id=ID", "secret_key=s3cret", "disable_ssl=true"];
    let virtual_host = [
        &virtual_host[..],
        &["endpoint=http://store.test", "addressing=virtual"],
    ];
    check(&[Row::new(
        pairs("s3", &virtual_host.concat()),
        "GET http://data.store.test//a//t/inputs.pb as ID in us-east-1",
    )
    .from("s3://data//a//t")
    .variables(&[("HTTP_PROXY", "http://HOST"), ("NO_PROXY", "")])]);
}
