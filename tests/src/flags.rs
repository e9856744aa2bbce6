//! The root flags with which a platform tells Copilot where its store is (spec §2.2).

/// The flags of a store of this kind; `container` is the bucket, `config` are stow's keys and values.
#[must_use]
pub fn stow(kind: &str, container: &str, config: &[(&str, &str)]) -> Vec<String> {
    let mut flags = vec![
        "--storage.limits.maxDownloadMBs=0".to_owned(),
        format!("--storage.container={container}"),
        "--storage.type=stow".to_owned(),
        format!("--storage.stow.kind={kind}"),
    ];
    for (key, value) in config {
        flags.push("--storage.stow.config".to_owned());
        flags.push(format!("{key}={value}"));
    }
    flags
}

/// The flags of an S3 server; `keys` are the access key and its secret.
#[must_use]
pub fn s3(endpoint: &str, bucket: &str, keys: (&str, &str)) -> Vec<String> {
    stow("s3", bucket, &s3_config(endpoint, keys))
}

/// Stow's keys and values for an S3 server.
#[must_use]
pub fn s3_config<'a>(endpoint: &'a str, keys: (&'a str, &'a str)) -> [(&'static str, &'a str); 5] {
    [
        ("auth_type", "accesskey"),
        ("region", "us-east-1"),
        ("endpoint", endpoint),
        ("access_key_id", keys.0),
        ("secret_key", keys.1),
    ]
}
