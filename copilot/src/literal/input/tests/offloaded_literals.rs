//! Asking for offloaded literals, and the ends of it.

use super::*;
use crate::idl::Message;

#[test]
fn offloaded_literals_are_requested_at_every_place() {
    let mut tagged = offloaded("s3://b/1");
    tagged.hash = "h".to_owned();
    let inner = map([("k", offloaded("s3://b/3"))]);
    let given = map([
        ("a", tagged),
        (
            "b",
            list(vec![
                offloaded("s3://b/2"),
                literal::Value::Map(inner).into(),
            ]),
        ),
        ("c", union(offloaded("s3://b/4"))),
    ]);
    let mut resolution = Offloaded::new(given);
    let requests = resolution.requests().unwrap().to_vec();
    let asked: Vec<(&str, &str)> = requests
        .iter()
        .map(|request| (&*request.variable, &*request.uri))
        .collect();
    assert_eq!(
        asked,
        [
            ("a", "s3://b/1"),
            ("b", "s3://b/2"),
            ("b", "s3://b/3"),
            ("c", "s3://b/4")
        ]
    );
    // In any order; one of them has another one inside.
    resolution.answer(3, &int(4).encode_to_vec()[..]).unwrap();
    resolution.answer(1, &int(2).encode_to_vec()[..]).unwrap();
    resolution
        .answer(0, &list(vec![offloaded("s3://b/5")]).encode_to_vec()[..])
        .unwrap();
    resolution.answer(2, &int(3).encode_to_vec()[..]).unwrap();
    let requests = resolution.requests().unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].uri, "s3://b/5");
    resolution.answer(0, &int(5).encode_to_vec()[..]).unwrap();
    assert!(resolution.requests().unwrap().is_empty());

    let mut first = list(vec![int(5)]);
    first.hash = "h".to_owned();
    let inner = map([("k", int(3))]);
    let expected = map([
        ("a", first),
        ("b", list(vec![int(2), literal::Value::Map(inner).into()])),
        ("c", union(int(4))),
    ]);
    assert_eq!(resolution.into_map(), expected);
}

#[test]
fn an_offloaded_literal_that_refers_to_itself_ends() {
    let mut resolution = Offloaded::new(map([("a", offloaded("s3://b/loop"))]));
    for _ in 0..100 {
        match resolution.requests() {
            Ok(requests) => assert_eq!(requests.len(), 1),
            Err(error) => {
                assert!(
                    matches!(error, OffloadedError::TooDeep { variable, .. } if variable == "a")
                );
                return;
            }
        }
        resolution
            .answer(0, &offloaded("s3://b/loop").encode_to_vec()[..])
            .unwrap();
    }
    panic!("it never ends");
}

#[test]
fn offloaded_literals_that_multiply_end() {
    let many = list(vec![offloaded("s3://b/x"); 1_000]);
    let mut resolution = Offloaded::new(map([("a", many.clone())]));
    assert_eq!(resolution.requests().unwrap().len(), 1_000);
    for index in 0..1_000 {
        resolution.answer(index, &many.encode_to_vec()[..]).unwrap();
    }
    assert_eq!(resolution.requests(), Err(OffloadedError::TooMany));
}

#[test]
fn a_wrong_answer_is_an_error() {
    let mut resolution = Offloaded::new(map([("a", offloaded("s3://b/x"))]));
    resolution.requests().unwrap();
    let message = resolution.answer(0, &b"\xff"[..]).unwrap_err().to_string();
    assert!(
        message.contains("\"a\"") && message.contains("s3://b/x") && message.contains("Literal"),
        "{message}"
    );
    assert_eq!(
        resolution.answer(1, &b""[..]),
        Err(OffloadedError::NotAsked(1))
    );
    assert!(matches!(
        resolution.requests(),
        Err(OffloadedError::Unanswered { .. })
    ));
}
