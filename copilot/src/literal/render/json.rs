//! JSON as the reference writes it (spec §3.4): compact, keys in byte order, Go's HTML-safe escapes.

use std::io::{self, Write};

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;

use super::node::{RenderNode, not_finite};
use super::quote;
use crate::literal::float;

pub fn write(node: &RenderNode<'_>, out: &mut impl Write) -> io::Result<()> {
    match node {
        RenderNode::Null => out.write_all(b"null"),
        RenderNode::Boolean(value) => write!(out, "{value}"),
        RenderNode::Integer(value) => write!(out, "{value}"),
        RenderNode::Unsigned(value) => write!(out, "{value}"),
        RenderNode::Float(value) => write_float(*value, float::json(*value), out),
        RenderNode::PackedFloat(value) => write_float(*value, float::json_with_point(*value), out),
        RenderNode::Text(text) => write_text(text, out),
        RenderNode::Bytes(bytes) => write_base64(bytes, out),
        RenderNode::Sequence(items) => {
            let mut separator: &[u8] = b"[";
            for item in items.iter() {
                out.write_all(separator)?;
                write(&item, out)?;
                separator = b",";
            }
            out.write_all(if items.is_empty() { b"[]" } else { b"]" })
        }
        RenderNode::Mapping(entries) => {
            let mut separator: &[u8] = b"{";
            for (key, value) in entries.iter() {
                out.write_all(separator)?;
                write_text(&key, out)?;
                out.write_all(b":")?;
                write(&value, out)?;
                separator = b",";
            }
            out.write_all(if entries.is_empty() { b"{}" } else { b"}" })
        }
    }
}

/// Writes a float by its text; one that is not finite has none.
fn write_float(value: f64, text: Option<String>, out: &mut impl Write) -> io::Result<()> {
    match text {
        Some(text) => out.write_all(text.as_bytes()),
        None => write!(out, "\"{}\"", not_finite(value)),
    }
}

/// Writes bytes as a string of standard base64 with padding.
pub fn write_base64(bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"\"")?;
    let mut encoder = EncoderWriter::new(&mut *out, &STANDARD);
    encoder.write_all(bytes)?;
    encoder.finish()?;
    drop(encoder);
    out.write_all(b"\"")
}

/// Writes a string with its quotes.
fn write_text(text: &str, out: &mut impl Write) -> io::Result<()> {
    quote::write(text, needs_escape, write_escape, out)
}

fn needs_escape(character: char) -> bool {
    matches!(
        character,
        '"' | '\\' | '<' | '>' | '&' | '\0'..'\u{20}' | '\u{2028}' | '\u{2029}'
    )
}

fn write_escape(character: char, out: &mut impl Write) -> io::Result<()> {
    match character {
        '"' => out.write_all(b"\\\""),
        '\\' => out.write_all(b"\\\\"),
        '\n' => out.write_all(b"\\n"),
        '\r' => out.write_all(b"\\r"),
        '\t' => out.write_all(b"\\t"),
        '\u{8}' => out.write_all(b"\\b"),
        '\u{c}' => out.write_all(b"\\f"),
        // All of them are below U+10000.
        other => write!(out, "\\u{:04x}", u32::from(other)),
    }
}
