//! Where the keys of a text stand, for messages. This is a second walk over the events, so trees hold no positions.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};

/// Longer paths have no line here: a hostile text must not make many copies of a long key.
const LONGEST: usize = 160;

/// The walk ends where a text nests deeper. JSON may nest 128 levels.
const DEEPEST: usize = 128;

/// The line of each key, from 1, by its path: the keys from the top in lower case, joined by dots. A list does not
/// count in a path. What an alias or a merge key brings has no line of its own. The walk ends where the text is wrong.
pub(crate) fn key_lines(text: &str) -> BTreeMap<String, usize> {
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut walk = KeyWalk::default();
    while let Some(Ok((event, span))) = parser.next_event() {
        walk.take(&event, span.start.line());
        if walk.open.len() > DEEPEST {
            break;
        }
    }
    walk.lines
}

/// A list or map that is not yet complete.
enum Open {
    List,
    Map {
        /// The length of the map's own path.
        path: usize,
        awaits_key: bool,
    },
}

#[derive(Default)]
struct KeyWalk {
    open: Vec<Open>,
    path: String,
    lines: BTreeMap<String, usize>,
}

impl KeyWalk {
    fn take(&mut self, event: &Event<'_>, line: usize) {
        match event {
            Event::Scalar(text, ..) => {
                if !self.take_key(text, line) {
                    self.complete();
                }
            }
            // A key that is an alias has no name of its own.
            Event::Alias(_) => {
                if !self.take_key("*", line) {
                    self.complete();
                }
            }
            Event::SequenceStart(..) => self.open.push(Open::List),
            Event::MappingStart(..) => self.open.push(Open::Map {
                path: self.path.len(),
                awaits_key: true,
            }),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open::Map { path, .. }) = self.open.pop() {
                    self.path.truncate(path);
                }
                self.complete();
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
    }

    /// Notes a key, if one is awaited.
    fn take_key(&mut self, text: &str, line: usize) -> bool {
        let Some(Open::Map { path, awaits_key }) = self.open.last_mut() else {
            return false;
        };
        if !std::mem::replace(awaits_key, false) {
            return false;
        }
        self.path.truncate(*path);
        // A path that is too long stays so for the keys beneath it.
        if self.path.len() + text.len() > LONGEST {
            self.path
                .push_str(&" ".repeat(LONGEST + 1 - self.path.len().min(LONGEST)));
            return true;
        }
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(&text.to_lowercase());
        self.lines.entry(self.path.clone()).or_insert(line);
        true
    }

    /// A value is complete: the map around it awaits a key again.
    fn complete(&mut self) {
        if let Some(Open::Map { awaits_key, .. }) = self.open.last_mut() {
            *awaits_key = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(String, usize)> {
        key_lines(text).into_iter().collect()
    }

    #[test]
    fn each_key_has_its_line() {
        let text = "\u{feff}# a comment\nA: 1\nb:\n  - C: {d: 1,\n        e: [x, {f: 2}]}\n  - g: ~\n\nh: |\n  i: 1\nj: 3\n";
        let expected = [
            ("a", 2),
            ("b", 3),
            ("b.c", 4),
            ("b.c.d", 4),
            ("b.c.e", 5),
            ("b.c.e.f", 5),
            ("b.g", 6),
            ("h", 8),
            ("j", 10),
        ];
        let expected: Vec<_> = expected.map(|(key, line)| (key.to_owned(), line)).into();
        assert_eq!(lines(text), expected);
        let json = "{\n\"a\": {\n\"B\": [1, {\"c\": null}],\n\"d\": 2}}";
        let expected = [("a", 2), ("a.b", 3), ("a.b.c", 3), ("a.d", 4)];
        let expected: Vec<_> = expected.map(|(key, line)| (key.to_owned(), line)).into();
        assert_eq!(lines(json), expected);
    }

    #[test]
    fn aliases_and_wrong_texts_end_in_nothing_odd() {
        for text in ["", "x", "- a\n- b", "a: [", "? [a]\n: 1\n", "*x : 1", "]"] {
            assert!(lines(text).len() <= 2, "{text}: {:?}", lines(text));
        }
        let alias = "a: &x {k: 1}\nb: *x\nc: {<<: *x, l: 2}\n";
        let keys: Vec<String> = key_lines(alias).into_keys().collect();
        assert_eq!(keys, ["a", "a.k", "b", "c", "c.<<", "c.l"]);
    }

    #[test]
    fn long_keys_are_not_copied() {
        let long = "k".repeat(1000);
        let text = format!("{long}:\n  a: 1\n  b:\n    c: 1\nd: 2\n");
        assert_eq!(lines(&text), [("d".to_owned(), 5)]);
    }
}
