//! What a document holds, in its order.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A heading.
    Heading {
        /// 1 for the title.
        level: u8,
        /// Its text.
        text: String,
    },
    /// A link or an image: where it leads.
    Link(String),
    /// Code within a sentence or a table.
    Span(String),
    /// A block of code.
    Block {
        /// The language that it names; empty without one.
        language: String,
        /// Its lines.
        text: String,
    },
    /// A comment, which no reader sees, without its marks.
    Comment(String),
}

impl Part {
    /// The lines of a block of code.
    #[must_use]
    pub fn block(&self) -> Option<&String> {
        match self {
            Self::Block { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// What is being read: the text between a beginning and its end.
#[derive(Default)]
struct Reader {
    parts: Vec<Part>,
    text: String,
}

/// The parts of a text in Markdown.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut reader = Reader::default();
    let mut language = String::new();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. } | Tag::HtmlBlock) => reader.text.clear(),
            Event::Start(Tag::CodeBlock(kind)) => {
                reader.text.clear();
                language = match kind {
                    CodeBlockKind::Fenced(language) => language.into_string(),
                    CodeBlockKind::Indented => String::new(),
                };
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                reader.parts.push(Part::Link(dest_url.into_string()));
            }
            Event::End(end) => reader.end(end, &language),
            Event::Code(code) => {
                reader.text.push_str(&code);
                reader.parts.push(Part::Span(code.into_string()));
            }
            Event::Text(text) | Event::Html(text) => reader.text.push_str(&text),
            Event::InlineHtml(html) => reader.comment(&html),
            _ => {}
        }
    }
    reader.parts
}

impl Reader {
    fn end(&mut self, end: TagEnd, language: &str) {
        let text = std::mem::take(&mut self.text);
        match end {
            TagEnd::Heading(level) => self.parts.push(Part::Heading {
                level: level as u8,
                text,
            }),
            TagEnd::CodeBlock => self.parts.push(Part::Block {
                language: language.to_owned(),
                text,
            }),
            TagEnd::HtmlBlock => self.comment(&text),
            // A link or emphasis within a heading ends, and the heading goes on.
            TagEnd::Link | TagEnd::Emphasis | TagEnd::Strong => self.text = text,
            _ => {}
        }
    }

    fn comment(&mut self, html: &str) {
        let inner = html.trim().strip_prefix("<!--");
        if let Some(text) = inner.and_then(|inner| inner.strip_suffix("-->")) {
            self.parts.push(Part::Comment(text.trim().to_owned()));
        }
    }
}
