use http::{HeaderMap, StatusCode};

use super::*;
use crate::store::error::StoreService;
use crate::store::reference::Reference;

static SERVICE: StoreService = StoreService {
    name: "S3",
    identity: "the keys",
};

fn location(reference: &str) -> Location {
    Location::new(
        &Reference::parse(reference).unwrap(),
        "http://store",
        &SERVICE,
    )
}

fn headers(headers: &[(&'static str, String)]) -> HeaderMap {
    headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

fn refused(status: u16, headers: &HeaderMap, code: &str, message: &str) -> RequestFailure {
    let status = StatusCode::from_u16(status).unwrap();
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    RequestFailure::from_response(status, headers, body.as_bytes())
}

fn told(status: u16, code: &str, action: &'static str) -> StoreError {
    let failure = refused(status, &HeaderMap::new(), code, "the store's words");
    StoreError::from_failure(failure, location("s3://b/k"), action)
}

/// Who has to act, and whether a retry helps, as the error document says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Recoverable, system.
    Passing,
    /// Not recoverable, system.
    Platform,
    /// Not recoverable, unknown.
    Task,
    /// As the reference: recoverable, unknown.
    Unsaid,
}

fn class(error: &StoreError) -> Class {
    match (
        error.is_infrastructure(),
        error.recoverable(),
        error.is_lasting(),
    ) {
        (true, true, _) => Class::Passing,
        (true, false, _) => Class::Platform,
        (false, _, true) => Class::Task,
        (false, _, false) => Class::Unsaid,
    }
}

#[test]
fn each_code_is_told_by_its_own_meaning() {
    use Class::{Passing, Platform, Task, Unsaid};
    for (status, code, expected, says) in [
        (403, "InvalidObjectState", Task, "archived"),
        (409, "BlobArchived", Task, "access tier"),
        (409, "BlobBeingRehydrated", Unsaid, "being restored"),
        (403, "QuotaExceeded", Platform, "quota"),
        (507, "XMinioStorageFull", Platform, "Free space"),
        (403, "RequestTimeTooSkewed", Passing, "clock"),
        (404, "NoSuchUpload", Unsaid, "multipart upload"),
        (400, "InvalidPart", Unsaid, "multipart upload"),
        (400, "InvalidBlockList", Unsaid, "multipart upload"),
        (400, "MissingContentMD5", Platform, "upload_checksum=sha256"),
        (400, "KMS.DisabledException", Platform, "kms:Decrypt"),
        (
            403,
            "KeyVaultEncryptionKeyNotFound",
            Platform,
            "encryption key",
        ),
        (400, "ExpiredToken", Passing, "Check the keys"),
        (400, "InvalidToken", Platform, "session token"),
        (403, "InvalidAccessKeyId", Platform, "Check the keys"),
        (403, "SignatureDoesNotMatch", Platform, "Check the keys"),
        (403, "AuthenticationFailed", Platform, "Check the keys"),
        (
            403,
            "AccessDenied",
            Platform,
            "Grant these credentials access",
        ),
        (
            403,
            "AuthorizationPermissionMismatch",
            Platform,
            "Storage Blob Data",
        ),
        (403, "AuthorizationFailure", Platform, "firewall"),
        (403, "AccountProblem", Platform, "billing"),
        (403, "UserSuspended", Platform, "billing"),
        (403, "AllAccessDisabled", Platform, "all access"),
        (400, "EntityTooLarge", Task, "size"),
        (400, "InvalidStorageClass", Platform, "x-amz-storage-class"),
        (400, "KeyTooLongError", Task, "Shorten"),
        (404, "NoSuchBucket", Task, "Create it"),
        (404, "NoSuchKey", Unsaid, "does not exist"),
        (409, "ContainerBeingDeleted", Task, "being deleted"),
        (412, "LeaseIdMissing", Platform, "lease"),
        (409, "BlobImmutableDueToPolicy", Platform, "retention"),
        (400, "UserProjectMissing", Platform, "x-goog-user-project"),
        (503, "ServerBusy", Passing, "busy"),
        (503, "SlowDown", Passing, "busy"),
        (400, "RequestTimeout", Passing, "busy"),
        (409, "OperationAborted", Passing, "busy"),
        (200, "InternalError", Passing, "busy"),
        (200, "AccessDenied", Platform, "Grant"),
        (301, "PermanentRedirect", Platform, "endpoint and region"),
        (307, "TemporaryRedirect", Platform, "endpoint and region"),
        (501, "NotImplemented", Platform, "upload_checksum=none"),
        // Codes that nobody knows: by status.
        (520, "NobodyKnows", Passing, "busy"),
        (401, "NobodyKnows", Platform, "Check the keys"),
        (403, "NobodyKnows", Platform, "Grant"),
        (404, "NobodyKnows", Unsaid, "does not exist"),
        (409, "NobodyKnows", Unsaid, "writing failed"),
        (413, "NobodyKnows", Platform, "client_max_body_size"),
        (505, "NobodyKnows", Unsaid, "writing failed"),
    ] {
        let error = told(status, code, "writing");
        let message = error.to_string();
        assert_eq!(class(&error), expected, "{status} {code}: {message}");
        for word in [says, code, "the store's words", "s3://b/k"] {
            assert!(message.contains(word), "{word}: {message}");
        }
    }
}

/// What misled people: advice for another reason than the one that the store gave.
#[test]
fn no_reason_gets_the_advice_of_another() {
    for (status, code, wrong) in [
        (403, "InvalidObjectState", "Grant"),
        (403, "QuotaExceeded", "Grant"),
        (403, "RequestTimeTooSkewed", "Check the keys"),
        (404, "NoSuchUpload", "the task that writes it"),
        (412, "LeaseIdMissing", "changed while"),
        (403, "AccountProblem", "Grant"),
    ] {
        for action in ["reading", "writing", "uploading a part"] {
            let message = told(status, code, action).to_string();
            assert!(!message.contains(wrong), "{code}: {message}");
        }
    }
}

/// An answer to HEAD has no body.
#[test]
fn a_status_alone_is_enough() {
    for (status, expected) in [
        (403, Class::Platform),
        (404, Class::Unsaid),
        (503, Class::Passing),
        (599, Class::Passing),
        (400, Class::Unsaid),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let failure = RequestFailure::from_response(status, &HeaderMap::new(), b"");
        let error = StoreError::from_failure(failure, location("s3://b/k"), "looking");
        assert_eq!(class(&error), expected, "{error}");
    }
}

#[test]
fn a_wrong_clock_is_measured() {
    let an_hour = std::time::Duration::from_hours(1);
    let now = std::time::SystemTime::now();
    for (date, code, says) in [
        (now - an_hour, "RequestTimeTooSkewed", "s ahead"),
        (now + an_hour, "RequestTimeTooSkewed", "s behind"),
        // Azure, and servers that only find that a signature is not good.
        (now - an_hour, "AuthenticationFailed", "s ahead"),
        (now + an_hour, "SignatureDoesNotMatch", "s behind"),
    ] {
        let date = headers(&[("date", httpdate::fmt_http_date(date))]);
        let failure = refused(403, &date, code, "words");
        let error = StoreError::from_failure(failure, location("s3://b/k"), "reading");
        let message = error.to_string();
        assert!(message.contains(says), "{message}");
        let digits = message.split("clock is ").nth(1).unwrap();
        let seconds: u64 = digits.split(' ').next().unwrap().parse().unwrap();
        assert!((3590..3700).contains(&seconds), "{message}");
        assert_eq!(class(&error), Class::Passing, "{message}");
    }
    let good = headers(&[("date", httpdate::fmt_http_date(now))]);
    let failure = refused(403, &good, "SignatureDoesNotMatch", "words");
    let error = StoreError::from_failure(failure, location("s3://b/k"), "reading");
    assert!(
        matches!(error, StoreError::BadCredentials { .. }),
        "{error}"
    );
}

#[test]
fn redirects_name_the_region_or_the_address() {
    for (status, sent, code, says) in [
        (
            301,
            ("x-amz-bucket-region", "eu-west-1"),
            "PermanentRedirect",
            "region=eu-west-1",
        ),
        (
            400,
            ("x-amz-bucket-region", "eu-west-1"),
            "AuthorizationHeaderMalformed",
            "region=eu-west-1",
        ),
        (
            400,
            ("x-amz-bucket-region", "eu-west-1"),
            "",
            "region=eu-west-1",
        ),
        (
            307,
            ("location", "https://b.s3-us-west-2.amazonaws.com/k"),
            "TemporaryRedirect",
            "region=us-west-2",
        ),
        (
            307,
            ("location", "http://other:9000/b/k"),
            "TemporaryRedirect",
            "http://other:9000/b/k",
        ),
        (
            308,
            ("location", "https://store/b/k"),
            "",
            "https://store/b/k",
        ),
        (302, ("x-nothing", "x"), "", "does not say where"),
    ] {
        let (name, value) = sent;
        let failure = refused(status, &headers(&[(name, value.to_owned())]), code, "words");
        let error = StoreError::from_failure(failure, location("s3://b/k"), "reading");
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(class(&error), Class::Platform, "{error}");
    }
}

/// S3 names the bucket's region in answers that have another reason.
#[test]
fn a_region_alone_is_no_redirect() {
    for (status, code, says) in [
        (403, "InvalidAccessKeyId", "Check the keys"),
        (403, "SignatureDoesNotMatch", "Check the keys"),
        (403, "AccessDenied", "Grant"),
        (400, "InvalidToken", "session token"),
        (400, "InvalidArgument", "reading failed"),
    ] {
        let sent = headers(&[("x-amz-bucket-region", "eu-west-1".to_owned())]);
        let failure = refused(status, &sent, code, "words");
        let message =
            StoreError::from_failure(failure, location("s3://b/k"), "reading").to_string();
        assert!(message.contains(says), "{message}");
        assert!(!message.contains("eu-west-1"), "{message}");
    }
}

#[test]
fn web_addresses_are_not_told_to_grant() {
    let failure = refused(
        403,
        &HeaderMap::new(),
        "AccessDenied",
        "Request has expired",
    );
    let error = StoreError::from_failure(
        failure,
        location("https://h/k?X-Amz-Signature=1"),
        "reading",
    );
    let message = error.to_string();
    assert!(message.contains("make a new one"), "{message}");
    assert!(message.contains("Request has expired"), "{message}");
    assert!(!message.contains("Grant"), "{message}");
}

#[test]
fn a_busy_token_service_passes_and_a_refusing_one_does_not() {
    for (status, passing) in [(503, true), (429, true), (400, false), (403, false)] {
        let status = StatusCode::from_u16(status).unwrap();
        let answered = RequestFailure::from_response(status, &HeaderMap::new(), b"");
        let failure = RequestFailure {
            kind: FailureKind::Credentials,
            ..answered
        };
        let error = StoreError::from_failure(failure, location("s3://b/k"), "reading");
        assert_eq!(error.recoverable(), passing, "{error}");
    }
    let silent = RequestFailure::new(FailureKind::Credentials, "refused");
    let error = StoreError::from_failure(silent, location("s3://b/k"), "reading");
    assert!(!error.recoverable(), "{error}");
}

#[test]
fn the_encryption_key_is_named_where_it_is_denied() {
    let said = "not authorized to perform: kms:GenerateDataKey on this resource";
    let failure = refused(403, &HeaderMap::new(), "AccessDenied", said);
    let error = StoreError::from_failure(failure, location("s3://b/k"), "writing");
    assert!(error.to_string().contains("encryption key"), "{error}");
}
