//! A reader of YAML 1.1 for comparisons: a YAML parser's events, and the older version's rules for plain
//! scalars.
//!
//! Readers of both versions agree on everything that the product writes, except for one thing: a number
//! with an exponent and without a point (`1e+20`) is a float to most of them and a string to some. Here it
//! is a float.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

#[derive(Clone, Debug, PartialEq)]
pub enum Yaml {
    Null,
    Boolean(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Yaml>),
    Map(BTreeMap<String, Yaml>),
}

/// Reads one document.
pub fn read(text: &str) -> Yaml {
    let mut events = Parser::new_from_str(text);
    let mut events = std::iter::from_fn(move || events.next());
    loop {
        match next(&mut events) {
            Event::StreamStart | Event::DocumentStart(_) => {}
            event => break node(event, &mut events),
        }
    }
}

type Item<'a> = Result<(Event<'a>, Span), ScanError>;

fn next<'a>(events: &mut impl Iterator<Item = Item<'a>>) -> Event<'a> {
    events
        .next()
        .expect("the document goes on")
        .expect("valid YAML")
        .0
}

fn node<'a>(event: Event<'a>, events: &mut impl Iterator<Item = Item<'a>>) -> Yaml {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, _, _) => plain(&text),
        Event::Scalar(text, ..) => Yaml::Text(text.into_owned()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(events) {
                    Event::SequenceEnd => break Yaml::List(items),
                    event => items.push(node(event, events)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries = BTreeMap::new();
            loop {
                match next(events) {
                    Event::MappingEnd => break Yaml::Map(entries),
                    event => {
                        let Yaml::Text(key) = node(event, events) else {
                            panic!("a key is not a string")
                        };
                        let value = next(events);
                        let value = node(value, events);
                        assert_eq!(entries.insert(key, value), None, "a key came twice");
                    }
                }
            }
        }
        other => panic!("{other:?} is not a node"),
    }
}

/// The value of a plain scalar in YAML 1.1.
fn plain(text: &str) -> Yaml {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "" | "~" | "null" => return Yaml::Null,
        "y" | "yes" | "true" | "on" => return Yaml::Boolean(true),
        "n" | "no" | "false" | "off" => return Yaml::Boolean(false),
        ".inf" | "+.inf" | "-.inf" | ".nan" => panic!("{text} is not written"),
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return Yaml::Text(text.to_owned());
    }
    if let Ok(value) = text.parse() {
        return Yaml::Integer(value);
    }
    // Other text that begins like a number (dates, base 60, …) must not be written without quotes.
    Yaml::Float(
        text.parse()
            .unwrap_or_else(|_| panic!("{text:?} is ambiguous without quotes")),
    )
}
