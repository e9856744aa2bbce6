//! The rows.

use super::Outcome::{self, Lists, Looks, Refused, Works};
use super::Row;
use super::scenario::Client::{self, Azure, Google, S3, Web};

const ALL: &[Client] = &[S3, Google, Azure, Web];
const STORES: &[Client] = &[S3, Google, Azure];
const S3_GOOGLE: &[Client] = &[S3, Google];

/// A byte that is not text.
const NO_TEXT: &[u8] = b"\xe9";

/// A field that nothing depends on.
fn ignored(
    answer: &'static str,
    clients: &'static [Client],
    field: &'static str,
    garbled: &'static [u8],
    other: &'static str,
) -> Row {
    row(
        answer,
        clients,
        field,
        Works,
        (garbled, Works),
        (other, Works),
    )
}

fn row(
    answer: &'static str,
    clients: &'static [Client],
    field: &'static str,
    left_out: Outcome,
    garbled: (&'static [u8], Outcome),
    twice: (&'static str, Outcome),
) -> Row {
    Row {
        answer,
        clients,
        field,
        left_out,
        garbled,
        twice,
    }
}

/// All rows of the table.
pub fn rows() -> Vec<Row> {
    let mut rows = reads();
    rows.extend(listings());
    rows.extend(writes());
    rows.extend(tokens());
    rows
}

fn reads() -> Vec<Row> {
    let http = Refused("invalid content-length");
    let length = |answer, clients| {
        row(
            answer,
            clients,
            "Content-Length",
            Works,
            (b"many", http),
            ("7", http),
        )
    };
    let mut rows = vec![
        length("GET", ALL),
        length("GET of a range", STORES),
        ignored("HEAD", STORES, "Content-Length", b"many", "7"),
        ignored(
            "GET of a range",
            STORES,
            "Content-Range",
            b"bytes */x",
            "bytes 7-8/9",
        ),
    ];
    for (answer, clients) in [("GET", ALL), ("GET of a range", STORES), ("HEAD", STORES)] {
        rows.extend([
            ignored(answer, clients, "ETag", NO_TEXT, "\"other\""),
            ignored(
                answer,
                clients,
                "Last-Modified",
                b"yesterday",
                "Thu, 02 Jan 2025 00:00:00 GMT",
            ),
            ignored(answer, clients, "Content-Type", NO_TEXT, "image/png"),
            ignored(answer, clients, "Cache-Control", NO_TEXT, "private"),
            ignored(answer, clients, "Accept-Ranges", NO_TEXT, "none"),
            ignored(answer, clients, "x-amz-version-id", NO_TEXT, "4"),
            ignored(answer, clients, "x-amz-meta-writer", NO_TEXT, "other"),
        ]);
    }
    rows
}

fn listings() -> Vec<Row> {
    let s3 = |field, garbled, other| ignored("listing", S3_GOOGLE, field, garbled, other);
    let azure = |field, garbled, other| ignored("listing", &[Azure], field, garbled, other);
    let outside = Refused("does not begin with \"p/\"");
    let two = Refused("comes twice");
    let page = Refused("is not an");
    vec![
        row(
            "listing",
            S3_GOOGLE,
            "Key",
            Refused("an entry has no Key"),
            (b"?", outside),
            ("p/x", two),
        ),
        row(
            "listing",
            S3_GOOGLE,
            "IsTruncated",
            Works,
            (b"perhaps", Works),
            ("none", two),
        ),
        row(
            "listing",
            S3_GOOGLE,
            "NextContinuationToken",
            Works,
            (b" ", Works),
            ("x", two),
        ),
        s3("Size", b"many", "7"),
        s3("ETag", b"?", "y"),
        s3("LastModified", b"yesterday", "today"),
        s3("StorageClass", b"?", "GLACIER"),
        s3("KeyCount", b"many", "7"),
        s3("MaxKeys", b"many", "7"),
        s3("Name", b"?", "other"),
        s3("Prefix", b"?", "other"),
        row(
            "listing",
            &[Azure],
            "Name",
            Refused("an entry has no Name"),
            (b"?", outside),
            ("p/x", two),
        ),
        row(
            "listing",
            &[Azure],
            "NextMarker",
            Works,
            (b"?", Refused("400")),
            ("x", two),
        ),
        azure("Content-Length", b"many", "7"),
        azure("Etag", b"?", "y"),
        azure("Last-Modified", b"yesterday", "today"),
        azure("BlobType", b"?", "PageBlob"),
        row(
            "listing",
            STORES,
            "the body",
            page,
            (b"<html>", page),
            ("", page),
        ),
    ]
}

fn writes() -> Vec<Row> {
    let part = Refused("neither the answer to part 1 nor the list of parts has an ETag");
    let id = Refused("UploadId");
    let mut rows = vec![
        row(
            "PUT",
            STORES,
            "ETag",
            Looks,
            (NO_TEXT, Looks),
            ("\"other\"", Looks),
        ),
        row(
            "beginning",
            S3_GOOGLE,
            "UploadId",
            id,
            (b" ", id),
            ("other", id),
        ),
        ignored("beginning", S3_GOOGLE, "Bucket", b"?", "other"),
        ignored("beginning", S3_GOOGLE, "Key", b"?", "other"),
        row(
            "part",
            S3_GOOGLE,
            "ETag",
            Lists,
            (NO_TEXT, Lists),
            ("\"other\"", Lists),
        ),
        ignored("part", &[Azure], "ETag", NO_TEXT, "\"other\""),
        row(
            "list of parts",
            S3_GOOGLE,
            "PartNumber",
            part,
            (b"one", part),
            ("9", part),
        ),
        row(
            "list of parts",
            S3_GOOGLE,
            "ETag",
            part,
            (b"?", Refused("400")),
            ("x", Refused("400")),
        ),
        row(
            "list of parts",
            S3_GOOGLE,
            "IsTruncated",
            Lists,
            (b"perhaps", Lists),
            ("true", Refused("does not advance")),
        ),
        row(
            "list of parts",
            S3_GOOGLE,
            "Size",
            Lists,
            (b"many", Lists),
            ("7", Lists),
        ),
        row(
            "completion",
            &[Azure],
            "ETag",
            Looks,
            (NO_TEXT, Looks),
            ("\"other\"", Looks),
        ),
        row(
            "completion",
            S3_GOOGLE,
            "the body",
            Looks,
            (b"<html>", Looks),
            ("", Looks),
        ),
    ];
    for field in ["ETag", "Location", "Bucket", "Key"] {
        rows.push(ignored("completion", S3_GOOGLE, field, b"?", "other"));
    }
    rows.push(ignored("abort", S3_GOOGLE, "the body", b"?", ""));
    rows.push(ignored("DELETE", STORES, "the body", b"?", ""));
    rows
}

fn tokens() -> Vec<Row> {
    let none = Refused("holds no");
    let token = |client: &'static [Client], field, left_out, garbled, other| {
        row("token", client, field, left_out, garbled, (other, Works))
    };
    vec![
        token(&[Google], "access_token", none, (b"7", none), "\"other\""),
        token(&[Google], "expires_in", Works, (b"\"soon\"", Works), "7"),
        token(&[Google], "token_type", Works, (b"7", Works), "\"other\""),
        token(&[S3], "AccessKeyId", none, (b"7", none), "\"other\""),
        token(&[S3], "SecretAccessKey", none, (b"7", none), "\"other\""),
        token(&[S3], "Token", Works, (b"7", none), "\"other\""),
        token(
            &[S3],
            "Expiration",
            Works,
            (b"7", Works),
            "\"2126-01-01T00:00:00Z\"",
        ),
    ]
}
