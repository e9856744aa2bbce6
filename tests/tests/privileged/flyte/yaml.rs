//! YAML as JSON, for manifests: maps, lists, texts, whole numbers, truth values.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// All documents of a text.
pub fn read(text: &str) -> Vec<Value> {
    let events = Parser::new_from_str(text).map(|event| event.expect("valid YAML").0);
    let mut events = events.peekable();
    let mut documents = Vec::new();
    while let Some(event) = events.next() {
        match event {
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
            event => documents.push(node(event, &mut events)),
        }
    }
    documents
}

fn node<'a>(event: Event<'a>, events: &mut impl Iterator<Item = Event<'a>>) -> Value {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => plain(&text),
        Event::Scalar(text, ..) => text.into(),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match events.next().expect("the list ends") {
                    Event::SequenceEnd => break items.into(),
                    event => items.push(node(event, events)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut members = Map::new();
            loop {
                let Event::Scalar(key, ..) = events.next().expect("the map ends") else {
                    break members.into();
                };
                let value = events.next().expect("a value");
                let value = node(value, events);
                assert!(
                    members.insert(key.to_string(), value).is_none(),
                    "{key} stands twice"
                );
            }
        }
        other => panic!("{other:?} is not a node"),
    }
}

fn plain(text: &str) -> Value {
    match (text, text.parse::<i64>()) {
        ("true", _) => true.into(),
        ("false", _) => false.into(),
        (_, Ok(number)) => number.into(),
        _ => text.into(),
    }
}
