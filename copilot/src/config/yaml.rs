//! YAML text to a tree, by the parser's events rather than its own tree: so scalars keep their
//! spelling, depth and size have a bound, and aliases cannot grow a small file into a large one.

use std::collections::{BTreeMap, HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::node::Node;

/// Deeper than any configuration; shallow enough for plain recursion over the tree.
const DEPTH: usize = 32;
/// Nodes in a tree, copies made by aliases included.
const NODES: usize = 50_000;

const MERGE: &str = "the merge key `<<` takes a map or a list of maps";

/// Why a text is no usable YAML.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct YamlError {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The rule that it breaks.
    pub(crate) rule: String,
}

/// The tree of the one document that `text` holds; an empty text is [`Node::Null`].
pub(crate) fn parse(text: &str) -> Result<Node, YamlError> {
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| YamlError {
            line: error.marker().line(),
            rule: error.info().to_owned(),
        })?;
        builder.take(event).map_err(|rule| YamlError {
            line: span.start.line(),
            rule,
        })?;
    }
    Ok(builder.document.unwrap_or(Node::Null))
}

/// A collection that is not yet complete.
enum Open {
    List(Vec<Node>),
    Map {
        entries: BTreeMap<String, Node>,
        merged: Vec<BTreeMap<String, Node>>,
        key: Option<String>,
    },
}

#[derive(Default)]
struct Builder {
    open: Vec<(Open, usize)>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    document: Option<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let empty = style == ScalarStyle::Plain && is_null(&text);
                // A key is a text even where it reads `null`.
                let node = if empty && !self.awaits_key() {
                    Node::Null
                } else {
                    Node::Scalar(text.into_owned())
                };
                self.complete(node, anchor)
            }
            Event::SequenceStart(anchor, _) => self.start(Open::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.start(
                Open::Map {
                    entries: BTreeMap::new(),
                    merged: Vec::new(),
                    key: None,
                },
                anchor,
            ),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some((Open::List(items), anchor)) => self.complete(Node::List(items), anchor),
                Some((
                    Open::Map {
                        entries, merged, ..
                    },
                    anchor,
                )) => self.complete(Node::Map(merge(entries, merged)), anchor),
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    self.count(node.size())?;
                    self.place(node)
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
        matches!(self.open.last(), Some((Open::Map { key: None, .. }, _)))
    }

    fn start(&mut self, open: Open, anchor: usize) -> Result<(), String> {
        if self.open.len() >= DEPTH {
            return Err(format!("it nests deeper than {DEPTH} levels"));
        }
        if self.awaits_key() {
            return Err("a key must be a text, not a list or a map".to_owned());
        }
        self.open.push((open, anchor));
        Ok(())
    }

    /// Takes a finished node: remembers it under its anchor, then puts it in its place.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.count(1)?;
        if anchor != 0 {
            self.count(node.size())?;
            self.anchors.insert(anchor, node.clone());
        }
        self.place(node)
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes += nodes;
        if self.nodes > NODES {
            return Err(format!(
                "it holds more than {NODES} values, aliases counted"
            ));
        }
        Ok(())
    }

    fn place(&mut self, node: Node) -> Result<(), String> {
        match self.open.last_mut() {
            None if self.document.is_none() => self.document = Some(node),
            None if node == Node::Null => {}
            None => return Err("it holds a second document; keep one in a file".to_owned()),
            Some((Open::List(items), _)) => items.push(node),
            Some((
                Open::Map {
                    entries,
                    merged,
                    key,
                },
                _,
            )) => match (key.take(), node) {
                (None, Node::Scalar(text)) => *key = Some(text.to_lowercase()),
                (None, _) => return Err("a key must be a text, not a list or a map".to_owned()),
                (Some(name), node) if name == "<<" => match node {
                    Node::Map(inherited) => merged.push(inherited),
                    Node::List(items) => {
                        for item in items {
                            let Node::Map(inherited) = item else {
                                return Err(MERGE.to_owned());
                            };
                            merged.push(inherited);
                        }
                    }
                    _ => return Err(MERGE.to_owned()),
                },
                (Some(name), node) => {
                    if entries.contains_key(&name) {
                        return Err(format!(
                            "the key {name:?} stands twice in one map (case does not count)"
                        ));
                    }
                    entries.insert(name, node);
                }
            },
        }
        Ok(())
    }
}

/// Adds what merge keys (`<<`) bring in; a map's own entries come first.
fn merge(
    mut entries: BTreeMap<String, Node>,
    merged: Vec<BTreeMap<String, Node>>,
) -> BTreeMap<String, Node> {
    for (key, value) in merged.into_iter().flatten() {
        entries.entry(key).or_insert(value);
    }
    entries
}

/// Whether a plain scalar is YAML's null.
fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
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
            assert!(error.rule.contains(rule), "{text}: {error:?}");
            assert!(error.line.abs_diff(line) <= 1, "{text}: {error:?}");
        }
    }

    #[test]
    fn hostile_depth_and_aliases_are_bounded() {
        let deep = parse(&"[".repeat(100)).unwrap_err();
        assert!(deep.rule.contains("nests deeper"), "{deep:?}");
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"- ".repeat(100_000)).is_err());
        let mut laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{}", level - 1);
            let items = vec![below; 10].join(",");
            writeln!(laughs, "a{level}: &a{level} [{items}]").unwrap();
        }
        assert!(parse(&laughs).unwrap_err().rule.contains("values"));
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
