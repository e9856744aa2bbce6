//! The tree of a settings file: keys in lower case, scalars as they are written, merge keys (`<<`)
//! resolved. The reader of the events is [`crate::yaml`].

use std::collections::BTreeMap;

use super::node::Node;
use crate::yaml::{self, Scalar, Tree, TreeLimits, YamlError, YamlRule};

/// The tree of the one document that `text` holds; an empty text is [`Node::Null`].
pub(crate) fn parse(text: &str) -> Result<Node, YamlError> {
    Ok(yaml::read(text)?.unwrap_or(Node::Null))
}

/// A map while it is read.
#[derive(Default)]
pub(crate) struct MergedEntries {
    own: BTreeMap<String, Node>,
    /// The maps that merge keys name, in order.
    merged: Vec<BTreeMap<String, Node>>,
}

impl Tree for Node {
    type Map = MergedEntries;

    /// More than any configuration needs.
    const LIMITS: TreeLimits = TreeLimits {
        depth: 32,
        values: 50_000,
    };

    fn scalar(scalar: &Scalar<'_>) -> Result<Self, YamlRule> {
        Ok(if scalar.is_plain && scalar.is_null_word() {
            Self::Null
        } else {
            Self::Scalar(scalar.text.to_owned())
        })
    }

    /// A key is a text even where it reads `null`.
    fn key(scalar: &Scalar<'_>) -> Result<Self, YamlRule> {
        Ok(Self::Scalar(scalar.text.to_owned()))
    }

    fn into_key(self) -> Option<String> {
        match self {
            Self::Scalar(text) => Some(text.to_lowercase()),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    fn list(items: Vec<Self>) -> Self {
        Self::List(items)
    }

    fn insert(map: &mut MergedEntries, key: String, value: Self) -> Result<(), YamlRule> {
        if key == "<<" {
            return merge(map, value);
        }
        if map.own.contains_key(&key) {
            return Err(YamlRule::RepeatedKeyInAnyCase(key));
        }
        map.own.insert(key, value);
        Ok(())
    }

    /// A map's own entries come before merged ones.
    fn map(map: MergedEntries) -> Self {
        let mut entries = map.own;
        for (key, value) in map.merged.into_iter().flatten() {
            entries.entry(key).or_insert(value);
        }
        Self::Map(entries)
    }

    fn size(&self) -> usize {
        match self {
            Self::Null => 1,
            Self::Scalar(text) => TreeLimits::text(text.len()),
            Self::List(items) => TreeLimits::LIST + items.iter().map(Tree::size).sum::<usize>(),
            Self::Map(entries) => {
                let sizes = entries
                    .iter()
                    .map(|(key, value)| TreeLimits::text(key.len()) + value.size());
                TreeLimits::MAP + sizes.sum::<usize>()
            }
        }
    }

    /// Files that are put together from parts often end in `---`.
    fn is_empty_document(&self) -> bool {
        *self == Self::Null
    }
}

fn merge(map: &mut MergedEntries, value: Node) -> Result<(), YamlRule> {
    let inherited = match value {
        Node::List(items) => items,
        other => vec![other],
    };
    for node in inherited {
        let Node::Map(entries) = node else {
            return Err(YamlRule::MergedValue);
        };
        map.merged.push(entries);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use proptest::prelude::*;

    fn json(text: &str) -> Node {
        Node::from_json(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn trees() {
        for (text, expected) in [
            ("", "null"),
            ("# nothing\n", "null"),
            (
                "a: 1\nB: {c: [x, ~]}\n",
                r#"{"a":"1","b":{"c":["x",null]}}"#,
            ),
            (
                "a: 007\nb: true\nc: 1e5\nd: 'null'\n",
                r#"{"a":"007","b":"true","c":"1e5","d":"null"}"#,
            ),
            ("a: &x {k: v}\nb: *x\n", r#"{"a":{"k":"v"},"b":{"k":"v"}}"#),
            (
                "a: &x {k: v, l: w}\nb: {<<: *x, k: own}\n",
                r#"{"a":{"k":"v","l":"w"},"b":{"k":"own","l":"w"}}"#,
            ),
            ("a: |\n  two\n  lines\n", r#"{"a":"two\nlines\n"}"#),
            ("null: x\n", r#"{"null":"x"}"#),
            ("a: 1\n---\n", r#"{"a":"1"}"#),
            ("\u{feff}a: 1\n", r#"{"a":"1"}"#),
        ] {
            assert_eq!(parse(text), Ok(json(expected)), "{text}");
        }
    }

    #[test]
    fn refusals_name_the_line() {
        for (text, line, rule) in [
            ("a: 1\na: 2\n", 2, "stands twice"),
            ("a: 1\nA: 2\n", 2, "stands twice"),
            ("a: 1\n---\nb: 2\n", 3, "second document"),
            ("? [a]\n: 1\n", 1, "must be a text"),
            ("a: {<<: x}\n", 1, "takes a map"),
            ("a: [\n", 2, ""),
            ("a: *x\n", 1, ""),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.rule.to_string().contains(rule), "{text}: {error:?}");
            assert!(error.line.abs_diff(line) <= 1, "{text}: {error:?}");
        }
    }

    #[test]
    fn hostile_depth_and_aliases_are_bounded() {
        let deep = parse(&"[".repeat(100)).unwrap_err();
        assert!(deep.to_string().contains("nests deeper"), "{deep:?}");
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"- ".repeat(100_000)).is_err());
        let mut laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{}", level - 1);
            let items = vec![below; 10].join(",");
            writeln!(laughs, "a{level}: &a{level} [{items}]").unwrap();
        }
        assert!(parse(&laughs).unwrap_err().to_string().contains("values"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn no_yaml_like_text_panics(parts in prop::collection::vec(
            prop::sample::select(vec!["a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", "&x ", "*x", "|\n", "'", "\"", "? ", "---\n", "<<", "#", "!t "]), 0..40)) {
            let _ = parse(&parts.concat());
        }
    }
}
