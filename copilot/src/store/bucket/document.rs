//! The XML of an answer, one element after another: a page is never a tree in memory.
//!
//! It reads what real servers send: namespace prefixes, entities, CDATA, a byte order mark, UTF-16, and
//! Latin-1 if the document declares it. It refuses what is not the expected document, or not all of it.
//! Never here: what an element means. Callers: `listing`, `answer`, `parts`.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// How deep elements may nest; listings need four levels.
const DEPTH: usize = 32;

/// Why a body is not the expected document.
#[derive(Debug, thiserror::Error)]
pub(super) enum DocumentError {
    #[error("it is empty")]
    Empty,
    #[error("it begins with <{0}>")]
    Root(String),
    #[error("it is cut")]
    Cut,
    #[error("{0}")]
    Form(String),
    #[error("{0}")]
    Xml(#[from] quick_xml::Error),
    #[error("{0}")]
    Encoding(#[from] quick_xml::encoding::EncodingError),
}

/// An element that has ended.
pub(super) struct Element<'a> {
    /// The names of the elements around it, below the root, and its own name last. Without namespaces.
    pub(super) path: &'a [&'a str],
    /// The text directly inside it.
    pub(super) text: &'a str,
    /// Whether the attribute `Encoded` says that the text is percent-encoded.
    pub(super) is_encoded: bool,
}

/// An element that has begun.
struct Open {
    name: String,
    text: String,
    is_encoded: bool,
}

/// Reads a document whose root is `root`, and calls `ended` at the end of each element below it.
///
/// # Errors
/// What `ended` returns, or a [`DocumentError`] if the document is something else, or cut.
pub(super) fn read<E: From<DocumentError>>(
    body: &[u8],
    root: &'static str,
    mut ended: impl FnMut(&Element<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let text = text(body)?;
    if text.trim().is_empty() {
        return Err(DocumentError::Empty.into());
    }
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Open> = Vec::new();
    let mut found_root = false;
    loop {
        match reader.read_event().map_err(DocumentError::from)? {
            Event::Start(start) => {
                if open.is_empty() {
                    check_root(&start, root, found_root)?;
                    found_root = true;
                }
                if open.len() == DEPTH {
                    return Err(DocumentError::Form("its elements nest too deep".to_owned()).into());
                }
                open.push(begun(&start)?);
            }
            Event::End(_) => end(&mut open, &mut ended)?,
            Event::Text(part) => add(&mut open, &part.decode().map_err(DocumentError::from)?)?,
            Event::CData(part) => add(&mut open, &part.decode().map_err(DocumentError::from)?)?,
            Event::GeneralRef(reference) => add(&mut open, &resolved(&reference)?)?,
            Event::Eof if found_root && open.is_empty() => return Ok(()),
            Event::Eof if found_root => return Err(DocumentError::Cut.into()),
            Event::Eof => return Err(DocumentError::Form("it is not XML".to_owned()).into()),
            Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

fn check_root(start: &BytesStart<'_>, root: &str, is_second: bool) -> Result<(), DocumentError> {
    let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
    if is_second {
        let rule = format!("<{name}> follows the document's end");
        return Err(DocumentError::Form(rule));
    }
    if name != root {
        return Err(DocumentError::Root(name));
    }
    Ok(())
}

fn begun(start: &BytesStart<'_>) -> Result<Open, DocumentError> {
    let attribute = start.try_get_attribute("Encoded");
    let attribute = attribute.map_err(quick_xml::Error::from)?;
    let is_encoded = attribute.is_some_and(|attribute| {
        attribute.value.eq_ignore_ascii_case(b"true") || attribute.value.as_ref() == b"1"
    });
    Ok(Open {
        name: String::from_utf8_lossy(start.local_name().as_ref()).into_owned(),
        text: String::new(),
        is_encoded,
    })
}

/// The innermost element ends.
fn end<E>(
    open: &mut Vec<Open>,
    ended: &mut impl FnMut(&Element<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let path: Vec<&str> = open.iter().skip(1).map(|open| open.name.as_str()).collect();
    if let (Some(last), false) = (open.last(), path.is_empty()) {
        ended(&Element {
            path: &path,
            text: &last.text,
            is_encoded: last.is_encoded,
        })?;
    }
    open.pop();
    // White space between elements is nobody's text, and a page may hold much of it.
    if let Some(outer) = open.last_mut().filter(|outer| outer.text.trim().is_empty()) {
        outer.text.clear();
    }
    Ok(())
}

/// Adds to the text of the innermost element. Bare carriage returns stay: XML takes one for a line feed,
/// but some servers forget to escape them in keys, and one key would become another.
fn add(open: &mut [Open], text: &str) -> Result<(), DocumentError> {
    match open.last_mut() {
        Some(innermost) => innermost.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(DocumentError::Form("it is not XML".to_owned())),
    }
    Ok(())
}

/// The text that a reference such as `&amp;` or `&#10;` stands for.
fn resolved(reference: &BytesRef<'_>) -> Result<String, DocumentError> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(character.into());
    }
    let name = reference.decode()?;
    let known = resolve_predefined_entity(&name);
    known.map(str::to_owned).ok_or_else(|| {
        let rule = format!("the entity &{name}; is not one of XML's own");
        DocumentError::Form(rule)
    })
}

/// The text of a document. What is UTF-8 is read as UTF-8, whatever the document declares.
fn text(body: &[u8]) -> Result<Cow<'_, str>, DocumentError> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    match body {
        [0xFE, 0xFF, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0, b'<', ..] => return utf16(body, u16::from_be_bytes),
        [b'<', 0, ..] => return utf16(body, u16::from_le_bytes),
        _ => {}
    }
    if let Ok(text) = std::str::from_utf8(body) {
        return Ok(text.into());
    }
    match declared_encoding(body).to_ascii_lowercase().as_str() {
        "iso-8859-1" | "latin1" | "latin-1" => Ok(body
            .iter()
            .copied()
            .map(char::from)
            .collect::<String>()
            .into()),
        "" | "utf-8" | "utf8" => Err(DocumentError::Form("it is not UTF-8".to_owned())),
        other => {
            let rule = format!("it is in the encoding {other:?}; expected UTF-8");
            Err(DocumentError::Form(rule))
        }
    }
}

fn utf16(body: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, DocumentError> {
    let (pairs, rest) = body.as_chunks();
    let units = pairs.iter().map(|pair| unit(*pair));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(text.into()),
        _ => Err(DocumentError::Form("it is damaged UTF-16".to_owned())),
    }
}

/// The encoding that the XML declaration names, or an empty text.
fn declared_encoding(body: &[u8]) -> String {
    let head = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
    let declaration = head
        .split_once("?>")
        .map_or("", |(declaration, _)| declaration);
    let value = declaration.split_once("encoding");
    let value = value.map_or("", |(_, value)| value.trim_start().trim_start_matches('='));
    let value = value.trim_start().trim_start_matches(['"', '\'']);
    value
        .split(['"', '\''])
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The leaves of a document whose root is `R`, as `path=text`.
    fn leaves(body: &[u8]) -> Result<Vec<String>, String> {
        let mut leaves = Vec::new();
        let done = read(body, "R", |element| {
            leaves.push(format!("{}={}", element.path.join("/"), element.text));
            Ok::<(), DocumentError>(())
        });
        done.map(|()| leaves).map_err(|error| error.to_string())
    }

    #[test]
    fn texts_come_as_the_server_means_them() {
        for (body, expected) in [
            ("<R><K>a</K></R>", "K=a"),
            (
                "<?xml version='1.0'?>\n<R xmlns='x'>\n <K> a </K>\n</R>\n",
                "K= a ",
            ),
            ("<s3:R xmlns:s3='x'><s3:K>a</s3:K></s3:R>", "K=a"),
            ("<R><K>&lt;&amp;&#x1;&#10;&apos;</K></R>", "K=<&\u{1}\n'"),
            ("<R><K><![CDATA[a<b&amp;]]></K></R>", "K=a<b&amp;"),
            ("<R><K>a\rb\r\n</K></R>", "K=a\rb\r\n"),
            ("<!DOCTYPE R><!-- x --><R><K>a<!-- x -->b</K></R>", "K=ab"),
            ("\u{feff}<R><K/></R>", "K="),
        ] {
            assert_eq!(leaves(body.as_bytes()).unwrap(), [expected], "{body}");
        }
    }

    #[test]
    fn other_encodings_are_read_or_refused_by_name() {
        let declared = |encoding: &str, key: &[u8]| {
            let head = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?><R><K>");
            [head.as_bytes(), key, b"</K></R>"].concat()
        };
        for (encoding, key) in [
            ("ISO-8859-1", &b"\xe9"[..]),
            ("ISO-8859-1", "é".as_bytes()),
            ("windows-1252", "é".as_bytes()),
            ("UTF-8", "é".as_bytes()),
        ] {
            assert_eq!(
                leaves(&declared(encoding, key)).unwrap(),
                ["K=é"],
                "{encoding}"
            );
        }
        for (encoding, named) in [("windows-1252", "windows-1252"), ("UTF-8", "not UTF-8")] {
            let refused = leaves(&declared(encoding, b"\xe9")).unwrap_err();
            assert!(refused.contains(named), "{refused}");
        }
        let wide = "<R><K>é</K></R>".encode_utf16();
        let (big, little): (Vec<_>, Vec<_>) = wide
            .map(|unit| (unit.to_be_bytes(), unit.to_le_bytes()))
            .unzip();
        let marked = [&b"\xff\xfe"[..], little.as_flattened()].concat();
        for body in [&marked, big.as_flattened(), little.as_flattened()] {
            assert_eq!(leaves(body).unwrap(), ["K=é"]);
        }
        let refused = leaves(&little.as_flattened()[..9]).unwrap_err();
        assert!(refused.contains("UTF-16"), "{refused}");
    }

    #[test]
    fn other_documents_are_refused() {
        let deep = format!("<R>{}", "<a>".repeat(DEPTH));
        for (body, named) in [
            ("", "empty"),
            (" \n", "empty"),
            ("hello", "not XML"),
            ("{}", "not XML"),
            ("<html><body>Sign in</body></html>", "<html>"),
            ("<R><K>a</K>", "cut"),
            ("<R><K>a</R>", "K"),
            ("<R/><R/>", "follows"),
            ("<R><K>&nbsp;</K></R>", "nbsp"),
            ("<R><K>&#0;</K></R>", "0"),
            (&deep, "deep"),
        ] {
            let refused = leaves(body.as_bytes()).unwrap_err();
            assert!(refused.contains(named), "{body}: {refused}");
        }
    }
}
