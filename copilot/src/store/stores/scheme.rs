//! References that no object store of ours can have: tables of databases, artifacts of Flyte, files of other
//! systems, ARNs. They are refused by name, since otherwise they go to the primary store, which then misses a
//! bucket that nobody meant (spec §6.3: an unknown scheme is the primary store's). Caller: `stores`.

use super::route::SCHEMES;
use crate::config::StorageSettings;
use crate::store::error::StoreError;
use crate::store::reference::Reference;

/// What a scheme stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Foreign {
    /// A table of a database or warehouse.
    Table,
    /// An artifact or another entity of Flyte.
    Flyte,
    /// Files of another system.
    Files,
    /// A store that speaks S3, too.
    SpeaksS3,
    /// Another name of a store of this kind.
    Alias(&'static str),
}

/// The schemes that are known not to be ours.
const FOREIGN: &[(&[&str], Foreign)] = &[
    (
        &[
            "bq",
            "bigquery",
            "snowflake",
            "databricks",
            "redshift",
            "athena",
            "hive",
            "trino",
            "presto",
            "clickhouse",
            "duckdb",
            "sqlite",
            "postgres",
            "postgresql",
            "mysql",
            "mssql",
            "mongodb",
            "jdbc",
        ],
        Foreign::Table,
    ),
    (&["flyte"], Foreign::Flyte),
    (
        &[
            "hdfs", "webhdfs", "viewfs", "dbfs", "maprfs", "lakefs", "ftp", "ftps", "sftp", "scp",
            "ssh", "smb", "nfs", "git", "github", "gdrive", "hf", "ipfs",
        ],
        Foreign::Files,
    ),
    (
        &["oss", "cos", "cosn", "obs", "b2", "r2"],
        Foreign::SpeaksS3,
    ),
    (&["s3a", "s3n"], Foreign::Alias("s3")),
    (&["gcs"], Foreign::Alias("google")),
    (
        &["az", "azure", "adl", "adls", "wasb", "wasbs"],
        Foreign::Alias("azure"),
    ),
];

/// Refuses a reference that cannot lie in one of our stores.
///
/// # Errors
/// [`StoreError::Unsupported`], with what to do.
pub(super) fn check(settings: &StorageSettings, reference: &Reference) -> Result<(), StoreError> {
    let scheme = reference.scheme();
    let row = FOREIGN.iter().find(|(names, _)| names.contains(&scheme));
    let refused = match row.map(|(_, foreign)| *foreign) {
        Some(Foreign::Table) => Some(
            "It is a table of a database: have the task that makes it write files to an object store, such as \
             Parquet, or pass the reference on with DO_NOT_DOWNLOAD, so that the program opens the table",
        ),
        Some(Foreign::Flyte) => Some(
            "Flyte itself resolves such a reference: bind the artifact to the input, or name the object behind \
             it, such as s3://BUCKET/KEY",
        ),
        Some(Foreign::Files) => Some(
            "Copy the data to an object store and name it there, such as s3://BUCKET/KEY, or pass the reference \
             on with DO_NOT_DOWNLOAD, so that the program opens it",
        ),
        Some(Foreign::SpeaksS3) => {
            Some("It also speaks S3: write s3://BUCKET/KEY, and use kind s3 with its endpoint")
        }
        Some(Foreign::Alias(kind)) if !means(settings, kind) => Some(match kind {
            "s3" => "Write it as s3://BUCKET/KEY",
            "google" => "Write it as gs://BUCKET/KEY",
            _ => "Write it as abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY",
        }),
        Some(Foreign::Alias(_)) | None => None,
    };
    if let Some(instead) = refused {
        return Err(unsupported(
            reference,
            format!("the scheme {scheme}://"),
            instead,
        ));
    }
    if scheme == "s3" && reference.container().starts_with("arn:") {
        let what = "an ARN in the place of a bucket".to_owned();
        return Err(unsupported(
            reference,
            what,
            instead_of_arn(reference.container()),
        ));
    }
    check_unknown(settings, reference, row.is_some())
}

/// Refuses a scheme that nobody knows, unless it means the platform's own container: older platforms write
/// such references to it, and no other.
fn check_unknown(
    settings: &StorageSettings,
    reference: &Reference,
    is_alias: bool,
) -> Result<(), StoreError> {
    let scheme = reference.scheme();
    let is_known = scheme.is_empty()
        || is_alias
        || SCHEMES.contains(&scheme)
        || settings.schemes.contains_key(scheme)
        || matches!(scheme, "http" | "https" | "minio");
    // In memory any container exists; with a single store all schemes mean that one.
    let any = settings.single_store || settings.store_type == "mem";
    if is_known || any || reference.container() == settings.container {
        return Ok(());
    }
    Err(unsupported(
        reference,
        format!("the scheme {scheme}://"),
        "Copilot knows s3, gs, abfs, abfss, file, mem, http and https; any other scheme means the primary store, \
         in its own container (storage.container) only. Correct the reference, or pass it on with \
         DO_NOT_DOWNLOAD",
    ))
}

/// Whether references go to a primary store of this kind, whatever their scheme.
fn means(settings: &StorageSettings, kind: &str) -> bool {
    let of_type = match settings.store_type.as_str() {
        _ if !settings.stow_kind.is_empty() => settings.stow_kind.as_str(),
        "minio" => "s3",
        other => other,
    };
    settings.single_store || of_type == kind
}

fn instead_of_arn(arn: &str) -> &'static str {
    let mut parts = arn.split(':').skip(2);
    let (service, region) = (parts.next(), parts.next());
    match (service, region) {
        (Some("s3"), Some("")) if arn.contains("accesspoint") || arn.contains(".mrap") => {
            "A multi-region access point needs another signature: name one of its buckets, s3://BUCKET/KEY"
        }
        (Some("s3"), Some("")) => "Write the bucket's name: s3://BUCKET/KEY",
        _ => {
            "Name the access point's alias, which stands for a bucket: s3://NAME-…-s3alias/KEY (aws s3control \
             get-access-point shows it)"
        }
    }
}

fn unsupported(reference: &Reference, what: String, instead: &'static str) -> StoreError {
    StoreError::Unsupported {
        object: reference.shown(),
        what,
        instead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: &str, text: &str) -> Option<String> {
        let settings = StorageSettings {
            store_type: "stow".to_owned(),
            stow_kind: kind.to_owned(),
            container: "data".to_owned(),
            multicontainer: true,
            ..StorageSettings::default()
        };
        let error = check(&settings, &Reference::parse(text).unwrap()).err()?;
        assert!(error.is_lasting(), "{error}");
        Some(error.to_string())
    }

    #[test]
    fn what_is_no_object_is_refused_by_name() {
        for (text, named, says) in [
            ("bq://project:ds.table", "bq://", "DO_NOT_DOWNLOAD"),
            ("bq://project.ds.table", "bq://", "table"),
            ("snowflake://u:a/wh/db/s/t", "snowflake://", "table"),
            ("jdbc:postgresql://h/db", "jdbc://", "table"),
            ("flyte://av1/p/d/x", "flyte://", "artifact"),
            ("hdfs://nn:8020/user/x", "hdfs://", "Copy the data"),
            ("dbfs:/mnt/x", "dbfs://", "Copy the data"),
            ("BQ://project.ds.table", "bq://", "table"),
            ("oss://b/k", "oss://", "kind s3"),
            ("gcs://b/k", "gcs://", "gs://BUCKET/KEY"),
            ("wasbs://c@a.blob.core.windows.net/k", "wasbs://", "abfs://"),
            ("nobody://b/k", "nobody://", "storage.container"),
        ] {
            let message = refused("s3", text).unwrap_or_else(|| panic!("{text} is not refused"));
            for word in [named, says, "is not supported"] {
                assert!(message.contains(word), "{word}: {message}");
            }
            // That would send people to the wrong place.
            assert!(!message.contains("storage.stow.config"), "{message}");
        }
    }

    #[test]
    fn what_may_be_an_object_is_not() {
        for (kind, text) in [
            ("s3", "s3://other/k"),
            ("s3", "s3a://other/k"),
            ("s3", "minio://other/k"),
            ("s3", "gs://other/k"),
            ("s3", "nobody://data/k"),
            ("s3", "https://host/k"),
            ("s3", "/data/k"),
            ("google", "gcs://other/k"),
            ("azure", "az://other/k"),
        ] {
            assert_eq!(refused(kind, text), None, "{text}");
        }
    }

    #[test]
    fn arns_are_refused_with_what_stands_for_them() {
        for (text, says) in [
            (
                "s3://arn:aws:s3:us-west-2:123456789012:accesspoint/ap/object/k",
                "s3alias",
            ),
            (
                "s3://arn:aws:s3:us-west-2:123456789012:accesspoint:ap/k",
                "s3alias",
            ),
            (
                "s3://arn:aws:s3-outposts:us-west-2:1:outpost:op:accesspoint:ap/k",
                "s3alias",
            ),
            (
                "s3://arn:aws:s3::123456789012:accesspoint:m.mrap/k",
                "one of its buckets",
            ),
            ("s3://arn:aws:s3:::bucket/k", "Write the bucket's name"),
            ("s3://arn:aws-cn:s3:::bucket/k", "Write the bucket's name"),
        ] {
            let message = refused("s3", text).unwrap_or_else(|| panic!("{text} is not refused"));
            assert!(message.contains(says), "{message}");
            assert!(message.contains("an ARN"), "{message}");
        }
    }
}
