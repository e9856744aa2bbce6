use proptest::prelude::*;
use serde_json::{Map as Object, Value as Json, json};

use super::{PackedError, Value, check, encode};

/// The value as JSON; NaN and the infinities are null.
fn shown(value: Value<'_>) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Boolean(value) => value.into(),
        Value::Integer(value) => value.into(),
        Value::Unsigned(value) => value.into(),
        Value::Float(value) => value.into(),
        Value::Text(text) => text.into(),
        Value::List(list) => list.iter().map(shown).collect(),
        Value::Map(map) => {
            let entries = map.entries().into_iter();
            let members = entries.map(|(key, value)| (key.into_owned(), shown(value)));
            Json::Object(members.collect())
        }
    }
}

fn read(bytes: &[u8]) -> Result<Json, PackedError> {
    check(bytes).map(shown)
}

/// The marker, what follows it, and then so many bytes of the letter a.
fn with_letters(head: &[u8], letters: usize) -> Vec<u8> {
    [head, &b"a".repeat(letters)].concat()
}

/// One value for each marker byte, and how it reads.
fn each_marker() -> Vec<(Vec<u8>, Result<Json, PackedError>)> {
    let text = |letters: usize| Ok(json!("a".repeat(letters)));
    let list = |length: usize| Ok(json!(vec![Json::Null; length]));
    let object = |length: u8| {
        let members = (0..length).map(|key| (key.to_string(), Json::Null));
        Ok(Json::Object(members.collect::<Object<_, _>>()))
    };
    let nils = |head: &[u8], length: usize| [head, &vec![0xc0; length]].concat();
    let pairs = |head: &[u8], length: u8| {
        let pairs = (0..length).flat_map(|key| [key, 0xc0]);
        [head, &pairs.collect::<Vec<u8>>()].concat()
    };
    let mut table = vec![
        (vec![0xc0], Ok(Json::Null)),
        (vec![0xc1], Err(PackedError::Reserved)),
        (vec![0xc2], Ok(json!(false))),
        (vec![0xc3], Ok(json!(true))),
        (with_letters(b"\xc4\x02", 2), Err(PackedError::Bytes)),
        (with_letters(b"\xc5\x00\x02", 2), Err(PackedError::Bytes)),
        (
            with_letters(b"\xc6\x00\x00\x00\x02", 2),
            Err(PackedError::Bytes),
        ),
        (
            with_letters(b"\xc7\x02\x05", 2),
            Err(PackedError::Extension),
        ),
        (
            with_letters(b"\xc8\x00\x02\x05", 2),
            Err(PackedError::Extension),
        ),
        (
            with_letters(b"\xc9\x00\x00\x00\x02\x05", 2),
            Err(PackedError::Extension),
        ),
        (b"\xca\x3f\x00\x00\x00".to_vec(), Ok(json!(0.5))),
        (
            b"\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a".to_vec(),
            Ok(json!(0.1)),
        ),
        (b"\xcc\xff".to_vec(), Ok(json!(255))),
        (b"\xcd\xff\xff".to_vec(), Ok(json!(65_535))),
        (b"\xce\xff\xff\xff\xff".to_vec(), Ok(json!(u32::MAX))),
        ([&b"\xcf"[..], &[0xff; 8]].concat(), Ok(json!(u64::MAX))),
        (b"\xd0\x80".to_vec(), Ok(json!(-128))),
        (b"\xd1\x80\x00".to_vec(), Ok(json!(-32_768))),
        (b"\xd2\x80\x00\x00\x00".to_vec(), Ok(json!(i32::MIN))),
        (
            b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00".to_vec(),
            Ok(json!(i64::MIN)),
        ),
        // The type -1 is a timestamp.
        (with_letters(b"\xd4\xff", 1), Err(PackedError::Extension)),
        (with_letters(b"\xd5\xff", 2), Err(PackedError::Extension)),
        (with_letters(b"\xd6\xff", 4), Err(PackedError::Extension)),
        (with_letters(b"\xd7\xff", 8), Err(PackedError::Extension)),
        (with_letters(b"\xd8\xff", 16), Err(PackedError::Extension)),
        (with_letters(b"\xd9\xff", 255), text(255)),
        (with_letters(b"\xda\x01\x00", 256), text(256)),
        (with_letters(b"\xdb\x00\x01\x00\x00", 65_536), text(65_536)),
        (nils(b"\xdc\x01\x00", 256), list(256)),
        (nils(b"\xdd\x00\x01\x00\x00", 65_536), list(65_536)),
        (pairs(b"\xde\x00\x7f", 0x7f), object(0x7f)),
        (pairs(b"\xdf\x00\x00\x00\x7f", 0x7f), object(0x7f)),
    ];
    table.extend((0..0x80_u8).map(|number| (vec![number], Ok(json!(number)))));
    table.extend((-32..0_i8).map(|number| (number.to_be_bytes().to_vec(), Ok(json!(number)))));
    table.extend((0..16_u8).map(|length| (pairs(&[0x80 | length], length), object(length))));
    table.extend(
        (0..16_u8).map(|length| (nils(&[0x90 | length], length.into()), list(length.into()))),
    );
    table.extend((0..32_u8).map(|letters| {
        (
            with_letters(&[0xa0 | letters], letters.into()),
            text(letters.into()),
        )
    }));
    table
}

#[test]
fn each_marker_is_read_and_no_prefix_of_it() {
    let table = each_marker();
    let mut seen = [false; 256];
    for (bytes, expected) in &table {
        seen[usize::from(bytes[0])] = true;
        let marker = bytes[0];
        assert_eq!(read(bytes), *expected, "{marker:#x}");
        for length in 0..bytes.len().min(300) {
            let refused = read(&bytes[..length]);
            let cut = if length == 0 {
                PackedError::Empty
            } else {
                PackedError::Cut
            };
            assert_eq!(refused, Err(cut), "{marker:#x}, {length} bytes");
        }
        if expected.is_ok() {
            let longer = [&bytes[..], &[0xc0, 0xc0]].concat();
            assert_eq!(read(&longer), Err(PackedError::Trailing(2)), "{marker:#x}");
        }
        // The same in a list, between two others.
        let inside = [&[0x93, 0x01], &bytes[..], &[0x02]].concat();
        let inside = read(&inside);
        assert_eq!(
            inside,
            expected.clone().map(|value| json!([1, value, 2])),
            "{marker:#x}"
        );
    }
    assert_eq!(seen, [true; 256]);
}

#[test]
fn each_truncation_of_a_nested_value_is_cut() {
    let value = json!({"a": [1, -1, 300, 70_000, u64::MAX, 0.5, "é".repeat(40)], "b": {"c": [null, true, [[]], {}]}});
    let bytes = encode(&value).unwrap();
    assert_eq!(read(&bytes), Ok(value));
    for length in 1..bytes.len() {
        assert_eq!(
            read(&bytes[..length]),
            Err(PackedError::Cut),
            "{length} bytes"
        );
    }
}

#[test]
fn lengths_that_are_only_claimed_are_told_at_once() {
    for marker in [0xc6, 0xc9, 0xdb, 0xdd, 0xdf] {
        let head = [marker, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(read(&head), Err(PackedError::Cut), "{marker:#x}");
        // A hundred thousand of them within each other.
        let nested = [0xdd, 0xff, 0xff, 0xff, 0xff].repeat(100_000);
        assert!(read(&[&nested[..], &head].concat()).is_err(), "{marker:#x}");
    }
}

#[test]
fn depth_and_number_are_bounded() {
    let nested = |levels: usize| [&[0x91].repeat(levels)[..], &[0xc0]].concat();
    assert!(read(&nested(100)).is_ok());
    assert_eq!(read(&nested(101)), Err(PackedError::TooDeep));
    assert_eq!(read(&nested(1_000_000)), Err(PackedError::TooDeep));
    let maps = [&[0x81, 0xa0].repeat(101)[..], &[0xc0]].concat();
    assert_eq!(read(&maps), Err(PackedError::TooDeep));

    let length: u32 = 1_000_000;
    let many = |length: u32| {
        let nils = vec![0xc0; length as usize];
        [&[0xdd][..], &length.to_be_bytes(), &nils].concat()
    };
    assert!(check(&many(length - 1)).is_ok());
    assert_eq!(read(&many(length)), Err(PackedError::TooMany));
}

#[test]
fn keys_are_what_python_s_json_makes_of_them() {
    let map = b"\x88\xa1a\x01\x07\x02\xd0\x80\x03\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x04\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\x05\xc3\x06\xc2\x07\xc0\x08";
    let expected = json!({"a": 1, "7": 2, "-128": 3, "18446744073709551615": 4, "1.0": 5, "true": 6, "false": 7, "null": 8});
    assert_eq!(read(map), Ok(expected));
    for key in [
        &b"\x90"[..],
        b"\x80",
        b"\xc4\x01a",
        b"\xca\x7f\xc0\x00\x00",
        b"\xd4\x01a",
    ] {
        let map = [&[0x81], key, &[0xc0]].concat();
        assert_eq!(read(&map), Err(PackedError::Key), "{key:?}");
    }
    for (map, key) in [
        (&b"\x82\xa11\xc0\x01\xc0"[..], "1"),
        (b"\x82\xa1a\xc0\xa1a\xc0", "a"),
    ] {
        assert_eq!(read(map), Err(PackedError::RepeatedKey(key.to_owned())));
    }
}

#[test]
fn entries_are_in_order_of_their_keys() {
    let Ok(Value::Map(map)) = check(b"\x83\xa1b\x01\xa1a\x02\xa2aa\x03") else {
        panic!()
    };
    let keys: Vec<_> = map.entries().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["a", "aa", "b"]);
}

#[test]
fn what_json_cannot_hold_is_refused() {
    assert_eq!(read(b"\xa1\xff"), Err(PackedError::NotUtf8));
    assert_eq!(read(b"\x81\xa1\xff\xc0"), Err(PackedError::NotUtf8));
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let bytes = [&[0xcb][..], &float.to_be_bytes()].concat();
        // A float's own file can hold it.
        assert!(matches!(check(&bytes), Ok(Value::Float(_))));
        assert_eq!(
            read(&[&[0x91], &bytes[..]].concat()),
            Err(PackedError::NotFinite)
        );
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-200..200_i64).prop_map(Json::from),
        prop::num::f64::NORMAL.prop_map(Json::from),
        any::<String>().prop_map(Json::from),
        ".{0,300}".prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Json::from),
            prop::collection::hash_map(any::<String>(), inner, 0..20)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_comes_back(value in any_json()) {
        let bytes = encode(&value).unwrap();
        prop_assert_eq!(read(&bytes), Ok(value));
    }

    #[test]
    fn any_bytes_are_a_value_or_refused(bytes: Vec<u8>, cut in any::<prop::sample::Index>(), value in any_json()) {
        let _ = read(&bytes);
        let mut changed = encode(&value).unwrap();
        let index = cut.index(changed.len());
        changed[index] = bytes.first().copied().unwrap_or_default();
        let _ = read(&changed);
    }
}
