//! The table itself. A row is a meaning and its codes; a code has one row.
//!
//! Sources: the lists of error codes of S3, STS and KMS, of Azure's Blob service, and of Google's XML and JSON
//! interfaces; the sources of `MinIO` (`cmd/api-errors.go`) and Ceph (`rgw_common.cc`).

use super::{Meaning, State};

/// Codes and what they mean.
pub(super) const TABLE: &[(&[&str], Meaning)] = &[
    (TRANSIENT, Meaning::Transient),
    (THROTTLED, Meaning::Throttled),
    (
        &["NoSuchBucket", "ContainerNotFound", "FilesystemNotFound"],
        Meaning::NoContainer,
    ),
    (
        &["NoSuchKey", "BlobNotFound", "NoSuchVersion", "PathNotFound"],
        Meaning::Missing,
    ),
    (
        // The second and third: parts, or blocks of Azure, that the store has dropped.
        &["NoSuchUpload", "InvalidPart", "InvalidBlockList"],
        Meaning::UploadLost,
    ),
    (&["MissingContentMD5"], Meaning::ChecksumWanted),
    (
        &[
            "PermanentRedirect",
            "TemporaryRedirect",
            "Redirect",
            "IllegalLocationConstraintException",
            "IncorrectEndpoint",
        ],
        Meaning::Elsewhere,
    ),
    (
        &["RequestTimeTooSkewed", "RequestInTheFuture"],
        Meaning::Clock,
    ),
    (
        &[
            "ExpiredToken",
            "ExpiredTokenException",
            "TokenRefreshRequired",
        ],
        Meaning::Expired,
    ),
    (CREDENTIALS, Meaning::BadCredentials("")),
    (
        &["InvalidToken"],
        Meaning::BadCredentials(
            "A session token belongs to one key: give both from the same source, and no token with a \
             lasting key",
        ),
    ),
    (
        &["SignatureDoesNotMatch"],
        Meaning::BadCredentials(
            "The secret does not belong to the key, or a proxy changes the request on its way",
        ),
    ),
    (
        &["KeyBasedAuthenticationNotPermitted"],
        Meaning::BadCredentials(
            "The account allows no keys: remove key and sas_token, and give the pod an identity",
        ),
    ),
    (
        &["PublicAccessNotPermitted", "NoAuthenticationInformation"],
        Meaning::BadCredentials("The request carried no credentials, and the store wants some"),
    ),
    (&["AccessDenied", "insufficientPermissions"], DENIED),
    (
        &[
            "AuthorizationPermissionMismatch",
            "InsufficientAccountPermissions",
        ],
        Meaning::Denied(
            "Give the identity the role Storage Blob Data Contributor (Reader, for inputs only) on the \
             container, or the signature these permissions; a new role takes some minutes to count",
        ),
    ),
    (
        &["AuthorizationFailure", "AuthorizationSourceIPMismatch"],
        Meaning::Denied(
            "Allow the pod's network in the storage account's firewall, and the address in the signature",
        ),
    ),
    (
        &[
            "AuthorizationProtocolMismatch",
            "AuthorizationResourceTypeMismatch",
            "AuthorizationServiceMismatch",
            "UnauthorizedBlobOverwrite",
        ],
        Meaning::Denied(
            "Make a signature (sas_token) that allows this: objects and containers of the blob service; \
             read, write, delete and list",
        ),
    ),
    (
        &["InvalidObjectState"],
        state_of_task(
            "the object is archived",
            "Restore it first (for S3: aws s3api restore-object), and run the task again when the copy is there",
        ),
    ),
    (
        &["BlobArchived"],
        state_of_task(
            "the blob is archived",
            "Restore it first: set its access tier to Hot or Cool, and run the task again when that is done",
        ),
    ),
    (
        &["BlobBeingRehydrated"],
        Meaning::State(State {
            what: "the blob is archived, and is being restored",
            advice: "Wait until its access tier is Hot or Cool; that may take hours",
            passes: true,
            of_platform: false,
        }),
    ),
    (
        QUOTA,
        state_of_platform(
            "the store is full, or a quota is used up",
            "Free space in it, or have the quota of the bucket or account raised",
        ),
    ),
    (
        &[
            "EntityTooLarge",
            "RequestBodyTooLarge",
            "MaxMessageLengthExceeded",
        ],
        state_of_task(
            "the store takes no object, or part of one, of this size",
            "Write smaller files, or raise the limit of the store",
        ),
    ),
    (
        &["EntityTooSmall"],
        state_of_platform(
            "the store wants larger parts of a multipart upload",
            "Lower the store's least size of a part to 5 MiB, as S3 has it",
        ),
    ),
    (
        &["KeyTooLongError", "KeyTooLong", "InvalidResourceName"],
        state_of_task(
            "the store does not take a key of this length or form",
            "Shorten the name of the file or the prefix: S3 and Google take 1,024 bytes",
        ),
    ),
    (
        &["InvalidStorageClass"],
        state_of_platform(
            "the store does not have this storage class",
            "Correct x-amz-storage-class in storage.defaultHttpClient.headers, or the bucket's default",
        ),
    ),
    (
        &["NotImplemented"],
        state_of_platform(
            "the store does not implement a part of the request",
            "Use what it does implement: try upload_checksum=none, and remove the headers in \
             storage.defaultHttpClient.headers that it does not know",
        ),
    ),
    (
        &["AccountRequiresHttps"],
        state_of_platform(
            "the account takes requests by TLS only",
            "Write the endpoint with https://",
        ),
    ),
    (
        ACCOUNT,
        state_of_platform(
            "the account of the store is disabled",
            "Ask those who run the store about the state of the account: billing, suspension, deletion",
        ),
    ),
    (
        &["AllAccessDisabled"],
        state_of_platform(
            "all access to this bucket is disabled",
            "Check the name of the bucket; if it is right, the provider's support knows the reason",
        ),
    ),
    (
        &["ContainerBeingDeleted", "ContainerBeingDisabled"],
        state_of_task(
            "the container is being deleted",
            "Name another container, or create it again when its deletion has ended, after some minutes",
        ),
    ),
    (
        &[
            "BlobImmutableDueToPolicy",
            "BlobImmutableDueToLegalHold",
            "ObjectLocked",
            "ObjectUnderActiveHold",
            "RetentionPolicyNotMet",
            "XMinioObjectLocked",
        ],
        state_of_platform(
            "a retention rule or a hold keeps the object as it is",
            "Write to another prefix, or lift the rule or the hold",
        ),
    ),
    (
        &["LeaseIdMissing", "LeaseAlreadyPresent", "LeaseLost"],
        state_of_platform(
            "another client holds a lease on the blob",
            "Break the lease, or write to another prefix",
        ),
    ),
    (
        &["InvalidBlobType"],
        state_of_platform(
            "a blob of another type has this name",
            "Delete it, or write to another prefix: outputs are block blobs",
        ),
    ),
    (
        &["UserProjectMissing", "UserProjectAccessDenied"],
        state_of_platform(
            "the bucket's readers pay, and no project is named",
            "Name one as x-goog-user-project in storage.defaultHttpClient.headers, and allow these \
             credentials to use it",
        ),
    ),
    (
        &[
            "InvalidBucketName",
            "InvalidUri",
            "InvalidArgument",
            "InvalidRequest",
            "InvalidPartOrder",
            "InvalidDigest",
            "InvalidRange",
            "MalformedXML",
            "MethodNotAllowed",
            "PreconditionFailed",
            "ConditionNotMet",
            "UnsupportedHeader",
        ],
        Meaning::Final,
    ),
];

/// Beginnings of codes that have no row of their own.
pub(super) const PREFIXES: &[(&str, Meaning)] = &[
    ("KMS.", KEY),
    ("KMSKey", KEY),
    ("XMinioKMS", KEY),
    ("KeyVault", KEY),
    ("CloudKms", KEY),
];

/// The store, a service behind it, or the way to it failed. The last ones say that the bytes were damaged or
/// cut on their way.
const TRANSIENT: &[&str] = &[
    "InternalError",
    "InternalServerError",
    "InternalFailure",
    "internal_failure",
    "backendError",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "temporarily_unavailable",
    "RequestTimeout",
    "RequestTimeoutException",
    "OperationTimedOut",
    "OperationAborted",
    "IDPCommunicationError",
    "KMS.InternalException",
    "KMS.KMSInternalException",
    "KMS.DependencyTimeoutException",
    "KMS.KeyUnavailableException",
    "XMinioServerNotInitialized",
    "XMinioBackendDown",
    "BadDigest",
    "XAmzContentSHA256Mismatch",
    "XAmzContentChecksumMismatch",
    "Md5Mismatch",
    "Crc64Mismatch",
    "IncompleteBody",
];

const THROTTLED: &[&str] = &[
    "SlowDown",
    "SlowDownRead",
    "SlowDownWrite",
    "Busy",
    "ServerBusy",
    "BandwidthLimitExceeded",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequests",
    "TooManyRequestsException",
    "TransactionInProgressException",
    "PriorRequestNotComplete",
    "KMS.ThrottlingException",
    "KMS.LimitExceededException",
    "rateLimitExceeded",
    "userRateLimitExceeded",
];

const CREDENTIALS: &[&str] = &[
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "NotSignedUp",
    "AuthorizationHeaderMalformed",
    "InvalidSecurity",
    "MissingSecurityHeader",
    "AuthenticationFailed",
    "AuthenticationRequired",
    "InvalidAuthenticationInfo",
    "invalid_client",
    "invalid_grant",
];

const QUOTA: &[&str] = &[
    "QuotaExceeded",
    "StorageQuotaExceeded",
    "AccountQuotaExceeded",
    "InsufficientStorage",
    "InsufficientStorageSpace",
    "NotEnoughSpace",
    "StorageFull",
    "XMinioStorageFull",
    "XMinioAdminBucketQuotaExceeded",
    "TotalStorageQuotaExceeded",
];

const ACCOUNT: &[&str] = &[
    "AccountProblem",
    "AccountIsDisabled",
    "AccountSuspended",
    "UserSuspended",
    "accountDisabled",
    "BillingDisabled",
    "billingNotEnabled",
];

/// What is told of any refusal of rights without a code of its own.
const DENIED: Meaning = Meaning::Denied("Grant these credentials access to this object");

/// A bucket's encryption key.
const KEY: Meaning = state_of_platform(
    "the encryption key of the bucket cannot be used",
    "Check that the key exists and is enabled, and that these credentials may use it (for AWS: \
     kms:Decrypt, kms:GenerateDataKey)",
);

/// A lasting state that is the task's to change.
const fn state_of_task(what: &'static str, advice: &'static str) -> Meaning {
    Meaning::State(State {
        what,
        advice,
        passes: false,
        of_platform: false,
    })
}

/// A lasting state that is the platform's to change.
const fn state_of_platform(what: &'static str, advice: &'static str) -> Meaning {
    Meaning::State(State {
        what,
        advice,
        passes: false,
        of_platform: true,
    })
}
