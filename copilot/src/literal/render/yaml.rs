//! YAML in block style. Every YAML 1.1 reader gets the same values from it as from the JSON (spec §3.5).
//!
//! A string stands without quotes only if it starts with a letter or `/`, holds only letters, digits,
//! `/`, `.`, `_` and `-`, and is not a word that YAML 1.1 reads as something else. Any other string
//! stands in double quotes on one line, with an escape for each character that a reader may refuse or
//! change.

use std::io::{self, Write};

use super::json::write_base64;
use super::node::{Mapping, RenderNode, Sequence, not_finite};
use super::quote;
use crate::literal::float;

/// What YAML 1.1 reads as a boolean or null, in any case.
const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// Keys that may be longer than this on the page use the `? key` form: YAML reads the short form
/// only up to 1,024 characters.
const LONG_KEY: usize = 100;

pub fn write(root: &RenderNode<'_>, out: &mut impl Write) -> io::Result<()> {
    match root {
        RenderNode::Mapping(entries) if !entries.is_empty() => {
            write_mapping(*entries, 0, false, out)
        }
        RenderNode::Sequence(items) if !items.is_empty() => write_sequence(*items, 0, false, out),
        scalar => {
            write_scalar(scalar, out)?;
            out.write_all(b"\n")
        }
    }
}

/// Writes the entries at `indent`; the first one goes on the open line if `inline`.
fn write_mapping(
    entries: Mapping<'_>,
    indent: usize,
    inline: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 || !inline {
            write_indent(indent, out)?;
        }
        if key.len() > LONG_KEY {
            out.write_all(b"? ")?;
            write_text(&key, out)?;
            out.write_all(b"\n")?;
            write_indent(indent, out)?;
        } else {
            write_text(&key, out)?;
        }
        out.write_all(b":")?;
        match value {
            RenderNode::Mapping(entries) if !entries.is_empty() => {
                out.write_all(b"\n")?;
                write_mapping(entries, indent + 2, false, out)?;
            }
            // A sequence stands at the indent of its key.
            RenderNode::Sequence(items) if !items.is_empty() => {
                out.write_all(b"\n")?;
                write_sequence(items, indent, false, out)?;
            }
            scalar => {
                out.write_all(b" ")?;
                write_scalar(&scalar, out)?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(())
}

/// Writes the items at `indent`; the first one goes on the open line if `inline`.
fn write_sequence(
    items: Sequence<'_>,
    indent: usize,
    inline: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    for (index, item) in items.iter().enumerate() {
        if index > 0 || !inline {
            write_indent(indent, out)?;
        }
        out.write_all(b"- ")?;
        match item {
            RenderNode::Mapping(entries) if !entries.is_empty() => {
                write_mapping(entries, indent + 2, true, out)?;
            }
            RenderNode::Sequence(items) if !items.is_empty() => {
                write_sequence(items, indent + 2, true, out)?;
            }
            scalar => {
                write_scalar(&scalar, out)?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(())
}

fn write_indent(indent: usize, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{:indent$}", "")
}

/// Writes a value that fits on a line: a scalar, or an empty collection.
fn write_scalar(node: &RenderNode<'_>, out: &mut impl Write) -> io::Result<()> {
    match node {
        RenderNode::Null => out.write_all(b"null"),
        RenderNode::Boolean(value) => write!(out, "{value}"),
        RenderNode::Integer(value) => write!(out, "{value}"),
        RenderNode::Unsigned(value) => write!(out, "{value}"),
        RenderNode::Float(value) => write_float(*value, float::yaml(*value), out),
        RenderNode::PackedFloat(value) => write_float(*value, float::yaml_with_point(*value), out),
        RenderNode::Text(text) => write_text(text, out),
        RenderNode::Bytes(bytes) => write_base64(bytes, out),
        RenderNode::Sequence(_) => out.write_all(b"[]"),
        RenderNode::Mapping(_) => out.write_all(b"{}"),
    }
}

/// Writes a float by its text; one that is not finite has none.
fn write_float(value: f64, text: Option<String>, out: &mut impl Write) -> io::Result<()> {
    match text {
        Some(text) => out.write_all(text.as_bytes()),
        None => write_text(not_finite(value), out),
    }
}

fn write_text(text: &str, out: &mut impl Write) -> io::Result<()> {
    if is_plain(text) {
        return out.write_all(text.as_bytes());
    }
    quote::write(text, needs_escape, write_escape, out)
}

fn is_plain(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Not printable in YAML 1.1, a line break in one of its versions, or a byte order mark.
fn needs_escape(character: char) -> bool {
    matches!(
        character,
        '"' | '\\' | '\0'..' ' | '\u{7f}'..'\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

fn write_escape(character: char, out: &mut impl Write) -> io::Result<()> {
    match (character, u32::from(character)) {
        ('"', _) => out.write_all(b"\\\""),
        ('\\', _) => out.write_all(b"\\\\"),
        ('\n', _) => out.write_all(b"\\n"),
        ('\r', _) => out.write_all(b"\\r"),
        ('\t', _) => out.write_all(b"\\t"),
        (_, code @ 0..=0xff) => write!(out, "\\x{code:02X}"),
        (_, code) => write!(out, "\\u{code:04X}"),
    }
}
