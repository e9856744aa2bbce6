//! YAML text as the tree that the same values are in JSON. Plain scalars are read as YAML 1.1 has
//! them, since that is what the libraries of container authors write: R's says `yes` for true.
//!
//! What JSON cannot hold is spelled as protobuf's JSON does (`"NaN"`); dates stay text. Depth and
//! number of values have a bound, so that aliases cannot grow a small file into a large tree.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

/// Nesting beyond this is refused, as our JSON reader does.
const DEPTH: usize = 100;
/// Values in a tree, those that aliases repeat counted each time.
const MOST: usize = 1_000_000;

/// Reads one document. The error says where and why not.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    while let Some(event) = parser.next_event() {
        let (event, span) =
            event.map_err(|error| format!("line {}: {}", error.marker().line(), error.info()))?;
        builder
            .take(event)
            .map_err(|rule| format!("line {}: {rule}", span.start.line()))?;
    }
    builder.document.ok_or_else(|| "it is empty".to_owned())
}

/// A list or map that is not yet complete, and its anchor.
struct Open {
    value: Value,
    key: Option<String>,
    anchor: usize,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Value, usize)>,
    values: usize,
    document: Option<Value>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                // A key is text, whatever it looks like: JSON has no other.
                let value = if self.awaits_key() {
                    if style == ScalarStyle::Plain && text == "<<" {
                        let rule = "merge keys (`<<`) are not supported; write the members";
                        return Err(rule.to_owned());
                    }
                    Value::String(text.into_owned())
                } else {
                    scalar(&text, style == ScalarStyle::Plain, tag.as_deref())?
                };
                self.complete(value, anchor)
            }
            Event::SequenceStart(anchor, _) => self.start(Value::Array(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.start(Value::Object(Map::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.complete(open.value, open.anchor),
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((value, size)) => {
                    let (value, size) = (value.clone(), *size);
                    self.count(size)?;
                    self.place(value)
                }
                None => Err("an alias stands inside of what it refers to".to_owned()),
            },
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn awaits_key(&self) -> bool {
        self.open
            .last()
            .is_some_and(|open| open.value.is_object() && open.key.is_none())
    }

    fn start(&mut self, value: Value, anchor: usize) -> Result<(), String> {
        if self.open.len() >= DEPTH {
            return Err(format!("it nests deeper than {DEPTH} levels"));
        }
        if self.awaits_key() {
            return Err("a key must be a single value".to_owned());
        }
        self.open.push(Open {
            value,
            key: None,
            anchor,
        });
        Ok(())
    }

    fn complete(&mut self, value: Value, anchor: usize) -> Result<(), String> {
        self.count(1)?;
        if anchor != 0 {
            let size = size(&value);
            // The copy counts, too.
            self.count(size)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        self.place(value)
    }

    fn count(&mut self, values: usize) -> Result<(), String> {
        self.values += values;
        if self.values > MOST {
            return Err(format!("it holds more than {MOST} values, aliases counted"));
        }
        Ok(())
    }

    fn place(&mut self, value: Value) -> Result<(), String> {
        let Some(open) = self.open.last_mut() else {
            if self.document.replace(value).is_some() {
                return Err("it holds a second document".to_owned());
            }
            return Ok(());
        };
        match &mut open.value {
            Value::Array(items) => items.push(value),
            Value::Object(members) => match (open.key.take(), value) {
                (None, Value::String(key)) => open.key = Some(key),
                (None, _) => return Err("a key must be a single value".to_owned()),
                (Some(key), value) => {
                    if members.contains_key(&key) {
                        return Err(format!("the key {key:?} stands twice in one map"));
                    }
                    members.insert(key, value);
                }
            },
            _ => {}
        }
        Ok(())
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

/// A scalar by its tag, else by its style.
fn scalar(text: &str, is_plain: bool, tag: Option<&Tag>) -> Result<Value, String> {
    let string = || Value::String(text.to_owned());
    let Some(tag) = tag else {
        return Ok(if is_plain { plain(text) } else { string() });
    };
    match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("", "!") | ("tag:yaml.org,2002:", "str" | "timestamp") => Ok(string()),
        ("tag:yaml.org,2002:", "int" | "float" | "bool" | "null") => Ok(plain(text)),
        (handle, suffix) => Err(format!("the tag {handle}{suffix} is not supported")),
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
            ("&a [*a]\n", "inside of what it refers to"),
            ("# nothing\n", "it is empty"),
        ] {
            let error = parse(yaml).unwrap_err();
            assert!(error.contains(words), "{yaml}: {error}");
        }
    }

    #[test]
    fn hostile_depth_and_aliases_are_bounded() {
        assert!(
            parse(&"[".repeat(200))
                .unwrap_err()
                .contains("nests deeper")
        );
        assert!(parse(&"- ".repeat(100_000)).is_err());
        let mut laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 10].join(",");
            writeln!(laughs, "a{level}: &a{level} [{items}]").unwrap();
        }
        assert!(parse(&laughs).unwrap_err().contains("values"));
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
