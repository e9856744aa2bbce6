//! `key=value` lists in one flag value (pflag's `stringToString`, spec §1.6).
//!
//! The reference has an odd rule: an argument with exactly one `=` is one pair, whose value may hold
//! commas; an argument with more is a CSV record whose fields are pairs. Unlike the reference, we keep
//! the value to the byte, so a final `]` survives. No message repeats the argument, because these pairs
//! carry keys and passwords.

use std::collections::BTreeMap;
use std::iter;
use std::ops::Range;

use super::syntax::SyntaxError;

/// The pairs of one argument, keys as written. A later pair with the same key wins.
pub fn parse(argument: &str) -> Result<BTreeMap<String, String>, SyntaxError> {
    match argument.matches('=').count() {
        0 => Err(SyntaxError::new("there is no `=` in it; write key=value")),
        1 => Ok(argument
            .trim_matches('"')
            .split_once('=')
            .map(own)
            .into_iter()
            .collect()),
        _ => parse_record(argument),
    }
}

fn own((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn parse_record(argument: &str) -> Result<BTreeMap<String, String>, SyntaxError> {
    let mut pairs = BTreeMap::new();
    for (index, field) in record(argument)?.iter().enumerate() {
        let Some((key, value)) = field.split_once('=') else {
            return Err(SyntaxError::new(format!(
                "a text with more than one `=` is a comma-separated list of key=value, but its \
                 item {} has no `=`; {}",
                index + 1,
                if field.is_empty() {
                    "remove the comma beside it"
                } else {
                    "use one flag for each key, or put double quotes around an item whose value \
                     holds commas"
                }
            )));
        };
        pairs.insert(key.to_owned(), value.to_owned());
    }
    Ok(pairs)
}

/// The fields of one CSV record. A `"` opens a quoted field only at the field's start, and `""` inside
/// the field is one `"`. The record ends with the text.
fn record(text: &str) -> Result<Vec<String>, SyntaxError> {
    let mut fields = Vec::new();
    let mut rest = without_line_end(text);
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => plain_field(rest)?,
        };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// A record without the line end after it.
fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// A field without quotes, and the text after its comma, if it has one.
fn plain_field(text: &str) -> Result<(String, Option<&str>), SyntaxError> {
    let (field, after) = match text.split_once(',') {
        Some((field, after)) => (field, Some(after)),
        None => (text, None),
    };
    if field.contains('"') {
        return Err(SyntaxError::new(
            "a text with more than one `=` is a comma-separated list, where double quotes may only \
             surround a whole item; put values such as JSON into a --config file",
        ));
    }
    if field.contains('\n') {
        return Err(SyntaxError::new(
            "a text with more than one `=` must be one line; put double quotes around the item \
             that holds a line end",
        ));
    }
    Ok((field.to_owned(), after))
}

/// A field after its opening quote, and the text after its comma, if it has one.
fn quoted_field(text: &str) -> Result<(String, Option<&str>), SyntaxError> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            return Err(SyntaxError::new(
                "a double quote is not closed; add the closing one",
            ));
        };
        field.push_str(before);
        if let Some(after) = after.strip_prefix('"') {
            field.push('"');
            rest = after;
        } else if after.is_empty() {
            return Ok((field, None));
        } else if let Some(after) = after.strip_prefix(',') {
            return Ok((field, Some(after)));
        } else {
            return Err(SyntaxError::new(
                "only a comma may follow a closing double quote",
            ));
        }
    }
}

/// Where the pairs of an argument stand in it, without the quotes around them. None for a text that is not a list.
pub(super) fn fields(argument: &str) -> Option<Vec<Range<usize>>> {
    parse(argument).ok()?;
    if argument.matches('=').count() == 1 {
        let begin = argument.len() - argument.trim_start_matches('"').len();
        let end = argument.trim_end_matches('"').len().max(begin);
        return Some(iter::once(begin..end).collect());
    }
    let bytes = without_line_end(argument).as_bytes();
    let mut fields = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let is_quoted = bytes[at] == b'"';
        let begin = at + usize::from(is_quoted);
        let mut end = begin;
        while end < bytes.len() {
            match bytes[end] {
                b'"' if bytes.get(end + 1) == Some(&b'"') => end += 1,
                b'"' => break,
                b',' if !is_quoted => break,
                _ => {}
            }
            end += 1;
        }
        fields.push(begin..end.min(bytes.len()));
        at = end + 1 + usize::from(is_quoted);
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().copied().map(own).collect()
    }

    #[test]
    fn accepted_forms() {
        let json = r#"{"a":"b"}"#;
        for (argument, expected) in [
            ("k=a,b", map(&[("k", "a,b")])),
            ("k=a,b=c", map(&[("k", "a"), ("b", "c")])),
            ("key=abc==", map(&[("key", "abc==")])),
            ("json=", map(&[("json", "")])),
            (r#"json={"a":"b"}"#, map(&[("json", json)])),
            ("=v", map(&[("", "v")])),
            ("\"k=v\"", map(&[("k", "v")])),
            ("k=v]", map(&[("k", "v]")])),
            ("k=v,", map(&[("k", "v,")])),
            ("\"k=a,b\",c=d", map(&[("k", "a,b"), ("c", "d")])),
            ("\"k=a\"\"b\",c=d", map(&[("k", "a\"b"), ("c", "d")])),
            ("a=1,a=2", map(&[("a", "2")])),
            ("a=1,b=2\n", map(&[("a", "1"), ("b", "2")])),
        ] {
            assert_eq!(parse(argument), Ok(expected), "{argument}");
        }
    }

    #[test]
    fn refused_forms_do_not_repeat_the_text() {
        for argument in [
            "hunter2",
            "",
            "hunter2=1,b=2,",
            "hunter2=1,b,c=2",
            r#"json={"hunter2":"b="}"#,
            "\"hunter2=1,b=2",
            "\"hunter2=1\"x,b=2",
            "hunter2=1,b=2\nc=3",
        ] {
            let error = parse(argument).expect_err(argument);
            assert!(
                !error.to_string().contains("hunter2"),
                "{argument}: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_value_with_one_equals_sign_is_kept(key in "[a-z_]{1,8}", value in "[^=\"]*") {
            let pairs = parse(&format!("{key}={value}")).unwrap();
            prop_assert_eq!(pairs.get(&key), Some(&value));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn the_fields_are_the_pairs(parts in prop::collection::vec(
            prop::sample::select(vec!["a", "=", ",", "\"", "\"\"", "b", "\n", "\r"]), 0..12)) {
            let text = parts.concat();
            let (parsed, found) = (parse(&text), fields(&text));
            prop_assert_eq!(parsed.is_ok(), found.is_some());
            let found = found.unwrap_or_default().into_iter();
            let again = found.filter_map(|field| {
                let field = text[field].replace("\"\"", "\"");
                field.split_once('=').map(own)
            });
            let again: BTreeMap<_, _> = again.collect();
            // A doubled quote in a lone pair is two quotes.
            if text.matches('=').count() > 1 {
                prop_assert_eq!(parsed.unwrap_or_default(), again);
            }
        }
    }
}
