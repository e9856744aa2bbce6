use object_store::client::HttpRequestBody;

use super::*;

fn answer(status: u16, fields: &[(&str, &str)]) -> response::Parts {
    let mut response = http::Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(*name, *value);
    }
    response.body(()).unwrap().into_parts().0
}

fn question(range: Option<Range<u64>>) -> Question {
    Question::new(range, None, header::IF_MATCH)
}

fn conditional(range: Range<u64>) -> Question {
    let version = Version::named("\"v\"".to_owned(), 20);
    Question::new(Some(range), Some(&version), header::IF_RANGE)
}

fn refusal(status: u16, code: Option<&str>) -> RequestFailure {
    let body = code.map_or(String::new(), |code| {
        format!("<Error><Code>{code}</Code></Error>")
    });
    let status = StatusCode::from_u16(status).unwrap();
    RequestFailure::from_response(status, &HeaderMap::new(), body.as_bytes())
}

/// Start, end and size of what an answer holds.
fn held(
    question: &Question,
    status: u16,
    fields: &[(&str, &str)],
) -> Result<(u64, Option<u64>, Option<u64>), String> {
    let content = question.content(&answer(status, fields));
    let content = content.map_err(|failure| failure.to_string())?;
    Ok((content.start, content.end, content.version.size()))
}

#[test]
fn requests_carry_the_question() {
    for (question, range, condition) in [
        (question(None), None, None),
        (question(Some(0..5)), Some("bytes=0-4"), None),
        (question(Some(5..u64::MAX)), Some("bytes=5-"), None),
        (conditional(5..9), Some("bytes=5-8"), Some("\"v\"")),
        (conditional(5..9).for_any_version(), Some("bytes=5-8"), None),
    ] {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        question.put_into(&mut request).unwrap();
        let header = |name| {
            request
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!((header("range"), header("if-range")), (range, condition));
    }
}

#[test]
fn a_partial_answer_belongs_where_it_was_asked_for() {
    let part = |range: &str| held(&question(Some(5..10)), 206, &[("content-range", range)]);
    assert_eq!(part("bytes 5-9/20"), Ok((5, Some(10), Some(20))));
    assert_eq!(part("Bytes 5-9/*"), Ok((5, Some(10), None)));
    // Less than was asked for: the rest is asked for again.
    assert_eq!(part("bytes 5-6/20"), Ok((5, Some(7), Some(20))));
    for wrong in [
        "bytes 4-9/20",
        "bytes 6-9/20",
        "bytes 5-10/20",
        "bytes 5-9/8",
        "bytes 9-5/20",
        "bytes */20",
        "bytes 5-9",
        "items 5-9/20",
        "bytes 5-9/x",
        "bytes +5-9/20",
        "bytes=5-9/20",
        "bytes 5-18446744073709551615/*",
        "",
    ] {
        let error = part(wrong).unwrap_err();
        assert!(error.contains("a partial answer"), "{wrong}: {error}");
    }
    let open = question(Some(5..u64::MAX));
    let range = ("content-range", "bytes 5-9/20");
    assert_eq!(held(&open, 206, &[range]), Ok((5, Some(10), Some(20))));
    let whole = question(None);
    assert!(held(&whole, 206, &[range]).is_err());
    let first = ("content-range", "bytes 0-9/20");
    assert_eq!(held(&whole, 206, &[first]), Ok((0, Some(10), Some(20))));
}

#[test]
fn a_partial_answer_does_not_contradict_itself() {
    let part = |fields: &[(&str, &str)]| held(&question(Some(5..10)), 206, fields);
    let range = ("content-range", "bytes 5-9/20");
    assert!(part(&[range, ("content-length", "5")]).is_ok());
    assert!(part(&[range, ("content-length", "6")]).is_err());
    assert!(part(&[range, range]).is_ok());
    assert!(part(&[range, ("content-range", "bytes 6-9/20")]).is_err());
    assert!(part(&[]).is_err());
    let several = ("content-type", "multipart/byteranges; boundary=x");
    assert!(part(&[several]).is_err());
}

#[test]
fn a_whole_answer_begins_at_its_first_byte() {
    for question in [question(None), question(Some(5..10))] {
        let whole = |fields: &[(&str, &str)]| held(&question, 200, fields);
        assert_eq!(whole(&[("content-length", "7")]), Ok((0, Some(7), Some(7))));
        assert_eq!(whole(&[]), Ok((0, None, None)));
        let coded = [("content-length", "7"), ("transfer-encoding", "chunked")];
        assert_eq!(whole(&coded), Ok((0, None, None)));
        assert!(held(&question, 204, &[]).is_err());
    }
    let ends_by_close = |fields: &[(&str, &str)]| {
        let content = question(None).content(&answer(200, fields));
        content.unwrap().ends_by_close
    };
    assert!(ends_by_close(&[]));
    assert!(!ends_by_close(&[("content-length", "7")]));
    assert!(!ends_by_close(&[("transfer-encoding", "chunked")]));
}

#[test]
fn a_refused_question_becomes_simpler() {
    for status in [400, 412, 416, 501] {
        let once = conditional(5..10).simpler(refusal(status, None)).unwrap();
        assert!(!once.is_conditional());
        assert_eq!(once.range, Some(5..10), "{status}");
        let twice = once.simpler(refusal(status, None)).unwrap();
        assert_eq!(twice.range, None, "{status}");
        assert!(twice.simpler(refusal(status, None)).is_err(), "{status}");
    }
    let unusable = RequestFailure::new(FailureKind::Protocol, "a partial answer");
    let whole = question(Some(0..5)).simpler(unusable.clone()).unwrap();
    assert_eq!(whole.range, None);
    assert!(whole.simpler(unusable).is_err());
    for other in [
        refusal(403, None),
        refusal(404, None),
        refusal(400, Some("ExpiredToken")),
        RequestFailure::new(FailureKind::Broken, "cut"),
    ] {
        assert!(
            question(Some(0..5)).simpler(other.clone()).is_err(),
            "{other}"
        );
    }
}
