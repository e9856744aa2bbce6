use super::*;

fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let status = StatusCode::from_u16(status).unwrap();
    Reply::read(
        status,
        &headers,
        body.as_bytes(),
        &RequestSecrets::default(),
    )
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    reply(status, &[], &body)
}

#[test]
fn every_failure_of_a_server_is_transient_but_what_it_does_not_implement() {
    for status in 400..600 {
        let expected = match status {
            408 | 425 | 429 => true,
            501 | 505 => false,
            status => status >= 500,
        };
        assert_eq!(reply(status, &[], "").is_transient(), expected, "{status}");
        let page = reply(status, &[], "<html>error</html>");
        assert_eq!(page.is_transient(), expected, "{status}");
    }
    // Some proxies go beyond the range of HTTP.
    assert!(reply(700, &[], "").is_transient());
}

#[test]
fn codes_come_before_statuses() {
    for (status, code, transient) in [
        (200, "InternalError", true),
        (200, "SlowDown", true),
        (200, "NobodyKnowsThis", true),
        (200, "NoSuchUpload", false),
        (200, "AccessDenied", false),
        (200, "MalformedXML", false),
        (400, "RequestTimeout", true),
        (400, "BadDigest", true),
        (400, "NobodyKnowsThis", false),
        (403, "RequestTimeTooSkewed", false),
        (409, "OperationAborted", true),
        (503, "ServerBusy", true),
        (503, "AccountProblem", false),
        (507, "XMinioStorageFull", false),
        (507, "NobodyKnowsThis", true),
        (501, "NotImplemented", false),
    ] {
        assert_eq!(
            error(status, code, "").is_transient(),
            transient,
            "{status} {code}"
        );
    }
    assert!(error(200, "SlowDown", "").asks_for_less());
    assert!(error(200, "InternalError", "").is_ambiguous());
    assert!(error(524, "", "").is_ambiguous());
    assert!(!error(503, "", "").is_ambiguous());
    assert!(!error(507, "QuotaExceeded", "").is_ambiguous());
}

#[test]
fn a_wish_for_a_checksum_is_known_by_its_text() {
    for (code, text, wanted) in [
        (
            "InvalidRequest",
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
            true,
        ),
        (
            "InvalidRequest",
            "Content-MD5 HTTP header is required for Put Part requests with Object Lock parameters",
            true,
        ),
        (
            "MissingContentMD5",
            "Missing required header for this request: Content-MD5.",
            true,
        ),
        (
            "InvalidRequest",
            "The value of x-amz-checksum-sha256 is invalid",
            false,
        ),
        ("InvalidArgument", "x-amz-checksum is required", false),
    ] {
        let meaning = error(400, code, text).meaning();
        assert_eq!(meaning == Some(Meaning::ChecksumWanted), wanted, "{text}");
    }
}

#[test]
fn xml_and_json_are_read() {
    for (body, code, message) in [
        (
            "<Error><Code>A</Code><Message>b\n c &amp; d</Message></Error>",
            "A",
            "b c & d",
        ),
        (
            "<Error><Code>AuthenticationFailed</Code><Message>m</Message>\
             <AuthenticationErrorDetail>too old</AuthenticationErrorDetail></Error>",
            "AuthenticationFailed",
            "m too old",
        ),
        (
            r#"{"error":"invalid_grant","error_description":"no"}"#,
            "invalid_grant",
            "no",
        ),
        (
            r#"{"error":{"code":403,"message":"m","status":"PERMISSION_DENIED"}}"#,
            "PERMISSION_DENIED",
            "m",
        ),
        (
            r#"{"error":{"code":429,"message":"m","errors":[{"reason":"rateLimitExceeded"}]}}"#,
            "rateLimitExceeded",
            "m",
        ),
        (r#"{"code":"X","message":"m"}"#, "X", "m"),
    ] {
        let reply = reply(400, &[], body);
        let found = (reply.code.as_deref(), reply.message.as_deref());
        assert_eq!(found, (Some(code), Some(message)), "{body}");
        assert!(
            reply.to_string().contains(&format!(", {code}: {message}")),
            "{reply}"
        );
    }
    let page = reply(502, &[], "  <html>no</html>");
    assert_eq!(page.to_string(), "HTTP 502 Bad Gateway: <html>no</html>");
    let broken = reply(400, &[], "{\"error\":");
    assert!(broken.to_string().contains("error"), "{broken}");
    let head = reply(403, &[("x-minio-error-code", "AccessDenied")], "");
    assert_eq!(head.code.as_deref(), Some("AccessDenied"));
}

#[test]
fn the_region_is_found_wherever_it_stands() {
    for (headers, body, region) in [
        (
            &[("x-amz-bucket-region", "eu-west-1")][..],
            "",
            Some("eu-west-1"),
        ),
        (
            &[],
            "<Error><Region>eu-west-2</Region></Error>",
            Some("eu-west-2"),
        ),
        (
            &[],
            "<Error><Endpoint>b.s3-us-west-2.amazonaws.com</Endpoint></Error>",
            Some("us-west-2"),
        ),
        (
            &[("location", "https://b.s3.cn-north-1.amazonaws.com.cn/k")],
            "",
            Some("cn-north-1"),
        ),
        (
            &[],
            "<Error><Endpoint>b.s3.amazonaws.com</Endpoint></Error>",
            None,
        ),
        (&[("location", "http://elsewhere:9000/k")], "", None),
        (&[], "", None),
    ] {
        let found = reply(307, headers, body).region;
        assert_eq!(found.as_deref(), region, "{headers:?} {body}");
    }
}

#[test]
fn clocks_are_compared() {
    let moment = |text| httpdate::parse_http_date(text).unwrap();
    let now = moment("Sun, 06 Nov 1994 08:49:37 GMT");
    for (theirs, ahead) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sun, 06 Nov 1994 08:29:37 GMT", 1200),
        ("Sun, 06 Nov 1994 09:49:37 GMT", -3600),
    ] {
        assert_eq!(ahead_of(moment(theirs), now), Some(ahead), "{theirs}");
    }
    let body = "<Error><ServerTime>1994-11-06T08:49:37Z</ServerTime></Error>";
    assert_eq!(server_time(body), Some(now));
    assert!(reply(403, &[], body).ahead.unwrap() > 1_000_000);
    assert!(reply(403, &[("date", "yesterday")], body).ahead.is_some());
    assert_eq!(reply(403, &[("date", "yesterday")], "").ahead, None);
}

#[test]
fn a_wait_is_taken_by_the_servers_clock() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (value, date, wait) in [
        ("Sun, 06 Nov 1994 08:49:49 GMT", Some(date), Some(12_000)),
        ("Sunday, 06-Nov-94 08:50:37 GMT", Some(date), Some(60_000)),
        ("Sun, 06 Nov 1994 08:49:00 GMT", Some(date), Some(0)),
        // Long ago by our clock.
        ("Sun, 06 Nov 1994 08:49:49 GMT", None, Some(0)),
        ("Sun, 06 Nov 1994 08:49:49 GMT", Some("now"), Some(0)),
        (" 7 ", Some(date), Some(7_000)),
        ("1.5", None, Some(1_500)),
        ("-1", None, Some(0)),
        ("soon", None, None),
        ("NaN", None, None),
    ] {
        let expected = wait.map(Duration::from_millis);
        assert_eq!(retry_after(value, date), expected, "{value} {date:?}");
    }
    assert_eq!(retry_after("1e40", None), Some(Duration::MAX));
    let reply = reply(503, &[("x-ms-retry-after-ms", "250")], "");
    assert_eq!(reply.retry_after, Some(Duration::from_millis(250)));
}
