//! YAML text as the tree that the same values are in JSON. Plain scalars are read as YAML 1.1 has
//! them, since that is what the libraries of container authors write: R's says `yes` for true.
//!
//! What JSON cannot hold is spelled as protobuf's JSON does (`"NaN"`); dates stay text. The reader of
//! the events is [`crate::yaml`].

use saphyr_parser::Tag;
use serde_json::{Map, Number, Value};
use thiserror::Error;

use crate::yaml::{self, Scalar, Tree, TreeLimits, YamlError, YamlRule};

/// Why a text is not the YAML of a value.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TreeError {
    /// It holds nothing, or only comments.
    #[error("it is empty")]
    Empty,
    /// It breaks a rule.
    #[error(transparent)]
    Yaml(#[from] YamlError),
}

/// Reads one document.
pub fn parse(text: &str) -> Result<Value, TreeError> {
    yaml::read(text)?.ok_or(TreeError::Empty)
}

impl Tree for Value {
    type Map = Map<String, Value>;

    /// As deep as our JSON reader allows.
    const LIMITS: TreeLimits = TreeLimits {
        depth: 100,
        values: 1_000_000,
    };

    fn scalar(scalar: &Scalar<'_>) -> Result<Self, YamlRule> {
        by_tag(scalar)
    }

    /// A key is text, whatever it looks like: JSON has no other.
    fn key(scalar: &Scalar<'_>) -> Result<Self, YamlRule> {
        if scalar.is_plain && scalar.text == "<<" {
            return Err(YamlRule::MergeKey);
        }
        Ok(Self::String(scalar.text.to_owned()))
    }

    fn into_key(self) -> Option<String> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    fn list(items: Vec<Self>) -> Self {
        Self::Array(items)
    }

    fn insert(map: &mut Self::Map, key: String, value: Self) -> Result<(), YamlRule> {
        if map.contains_key(&key) {
            return Err(YamlRule::RepeatedKey(key));
        }
        map.insert(key, value);
        Ok(())
    }

    fn map(map: Self::Map) -> Self {
        Self::Object(map)
    }

    fn size(&self) -> usize {
        match self {
            Self::String(text) => TreeLimits::text(text.len()),
            Self::Array(items) => TreeLimits::LIST + items.iter().map(Tree::size).sum::<usize>(),
            Self::Object(members) => {
                let sizes = members
                    .iter()
                    .map(|(key, value)| TreeLimits::text(key.len()) + value.size());
                TreeLimits::MAP + sizes.sum::<usize>()
            }
            _ => 1,
        }
    }

    fn is_empty_document(&self) -> bool {
        false
    }
}

/// A scalar by its tag, else by its style.
fn by_tag(scalar: &Scalar<'_>) -> Result<Value, YamlRule> {
    let string = || Value::String(scalar.text.to_owned());
    let Some(Tag { handle, suffix }) = scalar.tag else {
        return Ok(if scalar.is_plain {
            plain(scalar.text)
        } else {
            string()
        });
    };
    match (handle.as_str(), suffix.as_str()) {
        ("", "!") | ("tag:yaml.org,2002:", "str" | "timestamp") => Ok(string()),
        ("tag:yaml.org,2002:", "int" | "float" | "bool" | "null") => Ok(plain(scalar.text)),
        (handle, suffix) => Err(YamlRule::Tag(format!("{handle}{suffix}"))),
    }
}

/// What YAML 1.1 takes a plain scalar for.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return "NaN".into(),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return "Infinity".into(),
        "-.inf" | "-.Inf" | "-.INF" => return "-Infinity".into(),
        _ => {}
    }
    number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

/// A number as it is written by people and libraries: decimal, `0x` or `0o`, with a point or an
/// exponent. Base 60, base 8 by a mere zero and `_` between digits are text.
fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let radix = [("0x", 16), ("0o", 8)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((unsigned.strip_prefix(prefix)?, radix)));
    if let Some((digits, radix)) = radix {
        let is_digits = digits.chars().all(|digit| digit.is_digit(radix));
        let sign = if text.starts_with('-') { "-" } else { "" };
        return i64::from_str_radix(&format!("{sign}{digits}"), radix)
            .ok()
            .filter(|_| is_digits)
            .map(Number::from);
    }
    let is_padded = unsigned.len() > 1
        && unsigned.starts_with('0')
        && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    if is_padded {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    let is_float = unsigned
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    text.parse()
        .ok()
        .filter(|_| is_float)
        .and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn scalars_are_what_yaml_1_1_has_them_for() {
        let text = |text: &str| Value::String(text.to_owned());
        for (yaml, expected) in [
            ("~", Value::Null),
            ("Yes", json!(true)),
            ("off", json!(false)),
            ("y", text("y")),
            ("'true'", text("true")),
            ("-7", json!(-7)),
            ("+7", json!(7)),
            ("9223372036854775807", json!(i64::MAX)),
            ("18446744073709551615", json!(u64::MAX)),
            ("0x1F", json!(31)),
            ("-0x10", json!(-16)),
            ("0o17", json!(15)),
            ("0x+1", text("0x+1")),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("1e+20", json!(1e20)),
            ("6.", json!(6.0)),
            ("-.inf", text("-Infinity")),
            ("007", text("007")),
            ("1_000", text("1_000")),
            ("12:30", text("12:30")),
            ("2021-03-04", text("2021-03-04")),
            ("1e999", text("1e999")),
            ("!!str 7", text("7")),
            ("!!float 7", json!(7)),
            ("! 7", text("7")),
            ("|\n two\n lines\n", text("two\nlines\n")),
        ] {
            assert_eq!(parse(yaml), Ok(expected), "{yaml}");
        }
    }

    #[test]
    fn anchors_are_copied_and_keys_are_text() {
        let yaml = "1: &a [x]\nyes: *a\nnull: {k: *a}\n";
        let expected = json!({"1": ["x"], "yes": ["x"], "null": {"k": ["x"]}});
        assert_eq!(parse(yaml), Ok(expected));
        assert_eq!(parse("\"<<\": 1"), Ok(json!({"<<": 1})));
    }

    #[test]
    fn what_is_refused_says_where() {
        for (yaml, words) in [
            ("a: 1\nb: !x 1\n", "line 2: the tag !x"),
            ("a: 1\n---\nb: 1\n", "second document"),
            ("[a]: 1\n", "a key must be"),
            ("a: [\n", "line 2"),
            ("&a [*a]\n", "inside the value that it refers to"),
            ("# nothing\n", "it is empty"),
        ] {
            let error = parse(yaml).unwrap_err();
            assert!(error.to_string().contains(words), "{yaml}: {error}");
        }
    }

    #[test]
    fn hostile_depth_and_aliases_are_bounded() {
        // Copies of a long text or key, and of many maps, cost more than one value each.
        let long = "x".repeat(100_000);
        let maps = "{a: {}},".repeat(1_000);
        for anchored in [
            format!("\"{long}\""),
            format!("{{{long}: 1}}"),
            format!("[{maps}]"),
        ] {
            let copies = format!("- &a {anchored}\n{}", "- *a\n".repeat(1_000));
            assert!(parse(&copies).unwrap_err().to_string().contains("values"));
        }
        assert!(
            parse(&"[".repeat(200))
                .unwrap_err()
                .to_string()
                .contains("nests deeper")
        );
        assert!(parse(&"- ".repeat(100_000)).is_err());
        let mut laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 10].join(",");
            writeln!(laughs, "a{level}: &a{level} [{items}]").unwrap();
        }
        assert!(parse(&laughs).unwrap_err().to_string().contains("values"));
    }

    proptest! {
        #[test]
        fn never_panics(text: String, parts in prop::collection::vec(
            prop::sample::select(vec!["a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", "&x ", "*x", "|\n", "'", "\"", "? ", "---\n", "<<", "#", "!t ", "1e5"]), 0..40)) {
            let _ = parse(&text);
            let _ = parse(&parts.concat());
        }
    }
}
