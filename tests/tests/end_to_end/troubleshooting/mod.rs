//! `docs/troubleshooting.md`: each line that it quotes is what the program says.
//!
//! A comment above each line names what shows it: a scenario of this folder, which runs here, or a test that needs a
//! pod. Of the latter it is checked that the test exists and asks for these words, and that the program's source
//! holds them.

mod scenarios;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use copilot_tests::binary::Ended;
use copilot_tests::documents::{Document, Part, Quote, files, root};

use self::scenarios::SCENARIOS;

const PAGE: &str = "docs/troubleshooting.md";

/// The language of blocks that quote the program.
const QUOTED: &str = "text";

/// A line of the program in the page.
struct Symptom {
    line: String,
    shown_by: Witness,
}

/// What shows that the program says so.
enum Witness {
    /// A scenario, by its name.
    Scenario(String),
    /// A test: its file, its function, and the words that both it and the line hold.
    Test {
        file: String,
        function: String,
        words: Vec<String>,
    },
}

impl Witness {
    /// From the words of a comment: `NAME`, or `FILE FUNCTION "words"…`.
    fn parse(text: &str) -> Self {
        let mut quoted = text.split('"');
        let names = quoted.next().unwrap_or_default();
        let names: Vec<&str> = names.split_whitespace().collect();
        match names.as_slice() {
            [name] => Self::Scenario((*name).to_owned()),
            [file, function] => Self::Test {
                file: (*file).to_owned(),
                function: (*function).to_owned(),
                words: quoted
                    .step_by(2)
                    .map(str::to_owned)
                    .filter(|words| !words.is_empty())
                    .collect(),
            },
            _ => panic!("{text:?} is neither a scenario nor a file and a function"),
        }
    }
}

/// The lines that the page quotes.
fn symptoms() -> Vec<Symptom> {
    let page = Document::read(PAGE).unwrap();
    let mut symptoms = Vec::new();
    let mut comment = None;
    for part in &page.parts {
        match part {
            Part::Comment(text) => comment = text.strip_prefix("shown by: "),
            Part::Block { language, text } if language == QUOTED => {
                let line = text.lines().collect::<Vec<_>>().join(" ");
                let shown_by = comment.take();
                let shown_by = shown_by.unwrap_or_else(|| panic!("nothing shows {line:?}"));
                symptoms.push(Symptom {
                    line,
                    shown_by: Witness::parse(shown_by),
                });
            }
            _ => {}
        }
    }
    symptoms
}

/// Whether a run said this: in the message of a log line, or in a line of another form.
fn said(ended: &Ended, quote: Quote<'_>) -> bool {
    let is_error = quote.0.starts_with("Error: ");
    let last = ended.stderr.lines().last().unwrap_or_default();
    if is_error {
        return quote.is(last);
    }
    ended.stderr.lines().any(|line| {
        let object: Option<serde_json::Value> = serde_json::from_str(line).ok();
        let message = object.as_ref().and_then(|object| object["msg"].as_str());
        quote.is(message.unwrap_or(line))
    })
}

#[test]
fn each_line_that_a_scenario_shows_is_what_the_program_says() {
    let mut failures = Vec::new();
    let mut used = BTreeSet::new();
    for symptom in symptoms() {
        let Witness::Scenario(name) = &symptom.shown_by else {
            continue;
        };
        let scenario = SCENARIOS.iter().find(|(known, _)| known == name);
        let (known, play) = scenario.unwrap_or_else(|| panic!("{name} is not a scenario"));
        used.insert(*known);
        let ended = play();
        if !said(&ended, Quote(&symptom.line)) {
            failures.push(format!(
                "{name}\n  page:    {}\n  program: {}",
                symptom.line, ended.stderr
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let known: BTreeSet<&str> = SCENARIOS.iter().map(|(name, _)| *name).collect();
    assert_eq!(used, known, "scenarios that the page does not name");
}

/// The text of a function, if the file holds it.
fn body<'a>(source: &'a str, function: &str) -> Option<&'a str> {
    let begin = source.find(&format!("fn {function}("))?;
    let rest = &source[begin..];
    Some(&rest[..rest.find("\n}").unwrap_or(rest.len())])
}

/// The program's source, with texts that go on in the next line put together.
fn source() -> String {
    let mut whole = String::new();
    for path in files(&root().join("copilot/src"), "rs").unwrap() {
        let text = fs::read_to_string(root().join(path)).unwrap();
        for piece in text.split("\\\n") {
            whole.push_str(piece.trim_start());
        }
    }
    whole.replace("\\\"", "\"")
}

#[test]
fn each_line_that_needs_a_pod_is_what_a_test_asks_for() {
    let source = source();
    for symptom in symptoms() {
        let Witness::Test {
            file,
            function,
            words,
        } = &symptom.shown_by
        else {
            continue;
        };
        let text = fs::read_to_string(root().join(Path::new(file)));
        let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
        let body = body(&text, function).unwrap_or_else(|| panic!("{file} has no {function}"));
        assert!(!words.is_empty(), "{file} {function}: no words");
        for words in words {
            assert!(
                symptom.line.contains(words),
                "{words:?} is not in {:?}",
                symptom.line
            );
            assert!(
                body.contains(words),
                "{file} {function} does not ask for {words:?}"
            );
        }
        for piece in Quote(&symptom.line).pieces().map(of_the_message) {
            let is_said = source.contains(piece) || body.contains(piece);
            assert!(is_said, "the program does not say {piece:?}");
        }
    }
}

/// The words of a last line without its code, kind and origin, which are put together elsewhere.
fn of_the_message(piece: &str) -> &str {
    let Some(failure) = piece.strip_prefix("Error: ") else {
        return piece;
    };
    let message = failure
        .split_once("):")
        .map(|(_, message)| message.trim_start());
    message.unwrap_or(failure)
}
