//! How documents are read.

use crate::documents::part::parts;
use crate::documents::{Anchors, Part, Quote};

#[test]
fn a_document_has_headings_links_code_and_comments() {
    let text = "# A `b` c\n\n<!-- shown by: x -->\n\nSee [d](e.md#f) and `g`.<!-- h -->\n\n```sh\ni\n```\n\n    j\n\n\
                | k | l |\n| --- | --- |\n| `m` | [n](o) |\n";
    let block = |language: &str, text: &str| Part::Block {
        language: language.to_owned(),
        text: text.to_owned(),
    };
    let expected = [
        Part::Span("b".to_owned()),
        Part::Heading {
            level: 1,
            text: "A b c".to_owned(),
        },
        Part::Comment("shown by: x".to_owned()),
        Part::Link("e.md#f".to_owned()),
        Part::Span("g".to_owned()),
        Part::Comment("h".to_owned()),
        block("sh", "i\n"),
        block("", "j\n"),
        Part::Span("m".to_owned()),
        Part::Link("o".to_owned()),
    ];
    assert_eq!(parts(text), expected);
}

#[test]
fn anchors_are_those_of_forges() {
    let mut anchors = Anchors::default();
    for (heading, anchor) in [
        ("In 30 seconds", "in-30-seconds"),
        ("_ERROR in JSON", "_error-in-json"),
        (
            "Dataclasses, dicts and models",
            "dataclasses-dicts-and-models",
        ),
        ("To see it: copilot watch", "to-see-it-copilot-watch"),
        ("In 30 seconds", "in-30-seconds-1"),
    ] {
        assert_eq!(anchors.next(heading), anchor);
    }
}

#[test]
fn a_quoted_line_leaves_gaps() {
    for (quote, line, is_it) in [
        ("a b", "a b", true),
        ("a b", "a b c", false),
        ("aa", "aaa", false),
        ("a … c", "a b c", true),
        ("a … c", "a b c d", false),
        ("a … c", "x a b c", false),
        ("a … c … e", "a b c d e", true),
        ("a … c … e", "a b d e", false),
        ("a …", "a b", true),
        ("… b", "a b", true),
        // One word of the line does not count twice.
        ("a…a", "a", false),
    ] {
        assert_eq!(Quote(quote).is(line), is_it, "{quote:?} {line:?}");
    }
    let pieces: Vec<&str> = Quote("Error: … does not exist: …. Check the reference")
        .pieces()
        .collect();
    assert_eq!(pieces, ["does not exist:", ". Check the reference"]);
}
