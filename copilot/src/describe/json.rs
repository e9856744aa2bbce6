//! Documents as JSON, and back. Values have the form of `inputs.json`, types their words; what these cannot say
//! has its exact form. Whether they can is not decided by rules: the form is read back and compared.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::document::{Document, DocumentKind};
use super::error::DescribeError;
use super::type_parser::parse_type;
use super::type_words::{has_words, type_words};
use super::{exact, infer};
use crate::idl::{
    ContainerError, ErrorDocument, Literal, LiteralMap, LiteralType, Timestamp, TypedInterface,
    Variable, VariableEntry, VariableMap, container_error, execution_error::ErrorKind,
};
use crate::literal::render::{Binaries, BinaryForm, write_json};
use crate::literal::{datetime, output};

/// The name that says which kind of document an object is.
const KIND: &str = "kind";

/// The document as JSON.
pub(super) fn write(document: &Document) -> Value {
    let kind = document.kind().name();
    match document {
        Document::Values(values) => {
            let (mut types, mut written) = (Map::new(), Map::new());
            for (name, literal) in &values.literals {
                let (declared, value) = write_literal(literal);
                types.extend(declared.map(|declared| (name.clone(), declared)));
                written.insert(name.clone(), value);
            }
            json!({ KIND: kind, "types": types, "values": written })
        }
        Document::Interface(interface) => {
            let mut written = json!({ KIND: kind });
            let sides = [
                ("inputs", &interface.inputs),
                ("outputs", &interface.outputs),
            ];
            for (name, side) in sides {
                if let Some(side) = side {
                    written[name] = write_variables(side);
                }
            }
            written
        }
        Document::Variables(variables) => {
            json!({ KIND: kind, "variables": write_variables(variables) })
        }
        Document::Error(document) => write_error(kind, document),
    }
}

/// Reads a document.
pub(super) fn read(value: &Value) -> Result<Document, DescribeError> {
    let Value::Object(members) = value else {
        return Err(DescribeError::form("$", "the document must be an object"));
    };
    match kind_of(members) {
        Some(DocumentKind::Values) => read_values(members).map(Document::Values),
        Some(DocumentKind::Interface) => Ok(Document::Interface(TypedInterface {
            inputs: members.get("inputs").map(read_variables).transpose()?,
            outputs: members.get("outputs").map(read_variables).transpose()?,
        })),
        Some(DocumentKind::Variables) => {
            let variables = members.get("variables").unwrap_or(&Value::Null);
            Ok(Document::Variables(read_variables(variables)?))
        }
        Some(DocumentKind::Error) => read_error(members).map(Document::Error),
        None => plain(members).map(Document::Values),
    }
}

/// The kind of document that an object says it is; none for a plain object of values.
pub(super) fn kind_of(members: &Map<String, Value>) -> Option<DocumentKind> {
    let named = |kind: &DocumentKind| {
        members.get(KIND).and_then(Value::as_str) == Some(kind.name()) && has_parts(*kind, members)
    };
    DocumentKind::ALL.into_iter().find(named)
}

/// Whether an object has the parts of a document of this kind. A plain object of values may have an input `kind`.
fn has_parts(kind: DocumentKind, members: &Map<String, Value>) -> bool {
    let (needed, others): (&[&str], &[&str]) = match kind {
        DocumentKind::Values => (&["values"], &["types"]),
        DocumentKind::Interface => (&[], &["inputs", "outputs"]),
        DocumentKind::Variables => (&["variables"], &[]),
        DocumentKind::Error => (
            &[],
            &["code", "message", "recoverable", "origin", "at", "worker"],
        ),
    };
    let is_part = |name: &str| name == KIND || needed.contains(&name) || others.contains(&name);
    needed.iter().all(|name| members.contains_key(*name))
        && members.keys().all(|name| is_part(name))
}

/// A literal's type and value; without a type the value is exact.
fn write_literal(literal: &Literal) -> (Option<Value>, Value) {
    let declared = infer::of_literal(literal);
    let value = shown(literal, Some(&declared));
    let words = Value::from(type_words(&declared));
    let reads_back = exact::literal(&value).is_none()
        && has_words(&declared)
        && output::value(&declared, &value).is_ok_and(|read| read == *literal);
    if reads_back {
        return (Some(words), value);
    }
    (None, exact::write(literal, shown(literal, None)))
}

/// A literal in the form of `inputs.json`.
pub(super) fn shown(literal: &Literal, declared: Option<&LiteralType>) -> Value {
    const NAME: &str = "x";
    let map = LiteralMap {
        literals: BTreeMap::from([(NAME.to_owned(), literal.clone())]),
    };
    let types = declared.map(|declared| (NAME.to_owned(), declared.clone()));
    let binaries = Binaries {
        form: BinaryForm::Json,
        types: types.into_iter().collect(),
    };
    let mut text = Vec::new();
    let written = write_json(&map, &binaries, &mut text);
    let read = written
        .ok()
        .and_then(|()| serde_json::from_slice(&text).ok());
    match read {
        Some(Value::Object(mut members)) => members.remove(NAME).unwrap_or_default(),
        _ => Value::Null,
    }
}

fn read_values(members: &Map<String, Value>) -> Result<LiteralMap, DescribeError> {
    let types = object(members, "types")?;
    let values = object(members, "values")?;
    let mut literals = BTreeMap::new();
    for (name, value) in values {
        let declared = types.get(name).map(|words| read_type(name, words));
        let literal = read_literal(name, declared.transpose()?.as_ref(), value)?;
        literals.insert(name.clone(), literal);
    }
    if let Some(name) = types.keys().find(|name| !values.contains_key(*name)) {
        let rule = "it has a type and no value: add the value, or remove the type";
        return Err(DescribeError::form(name, rule));
    }
    Ok(LiteralMap { literals })
}

/// A plain object: the names and values of variables.
fn plain(members: &Map<String, Value>) -> Result<LiteralMap, DescribeError> {
    let literals = members
        .iter()
        .map(|(name, value)| Ok((name.clone(), read_literal(name, None, value)?)));
    Ok(LiteralMap {
        literals: literals.collect::<Result<_, DescribeError>>()?,
    })
}

/// The literal of a value: exact, or of its type, or of the type that it shows.
pub(super) fn read_literal(
    name: &str,
    declared: Option<&LiteralType>,
    value: &Value,
) -> Result<Literal, DescribeError> {
    if let Some(literal) = exact::literal(value) {
        return literal.map_err(|rule| DescribeError::form(name, rule));
    }
    let inferred;
    let declared = if let Some(declared) = declared {
        declared
    } else {
        inferred = infer::of_json(value).map_err(|rule| DescribeError::Untyped {
            name: name.to_owned(),
            rule,
        })?;
        &inferred
    };
    output::value(declared, value).map_err(|cause| DescribeError::Value {
        name: name.to_owned(),
        cause,
    })
}

fn object<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Map<String, Value>, DescribeError> {
    static NOTHING: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    match members.get(name) {
        None => Ok(&NOTHING),
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(DescribeError::form(name, "it must be an object of names")),
    }
}

fn write_variables(variables: &VariableMap) -> Value {
    let entries = variables.variables.iter().map(|entry| {
        let declared = entry.value.as_ref().and_then(|value| value.r#type.as_ref());
        let written = declared.map_or(Value::Null, write_type);
        let description = entry.value.as_ref().map_or("", |value| &value.description);
        let value = if description.is_empty() {
            written
        } else {
            json!({ "type": written, "description": description })
        };
        (entry.key.clone(), value)
    });
    Value::Object(entries.collect())
}

fn write_type(declared: &LiteralType) -> Value {
    let words = Value::from(type_words(declared));
    if has_words(declared) {
        return words;
    }
    exact::write(declared, words)
}

fn read_variables(value: &Value) -> Result<VariableMap, DescribeError> {
    let Value::Object(members) = value else {
        let rule = "the variables must be an object of names and types";
        return Err(DescribeError::form("$", rule));
    };
    let variables = members.iter().map(|(name, value)| {
        let (declared, description) = match value {
            Value::Object(parts) if parts.contains_key("type") => {
                let description = parts.get("description").and_then(Value::as_str);
                (&parts["type"], description.unwrap_or_default())
            }
            declared => (declared, ""),
        };
        let r#type = match declared {
            Value::Null => None,
            declared => Some(read_type(name, declared)?),
        };
        Ok(VariableEntry {
            key: name.clone(),
            value: Some(Variable {
                r#type,
                description: description.to_owned(),
            }),
        })
    });
    Ok(VariableMap {
        variables: variables.collect::<Result<_, DescribeError>>()?,
    })
}

fn read_type(name: &str, value: &Value) -> Result<LiteralType, DescribeError> {
    if let Some(declared) = exact::declared(value) {
        return declared.map_err(|rule| DescribeError::form(name, rule));
    }
    let words = value.as_str();
    let words = words.ok_or_else(|| DescribeError::form(name, "a type must be a text"))?;
    parse_type(words).map_err(|cause| DescribeError::Type {
        name: name.to_owned(),
        cause,
    })
}

fn write_error(kind: &str, document: &ErrorDocument) -> Value {
    let mut written = json!({ KIND: kind });
    let Some(error) = &document.error else {
        return written;
    };
    written["code"] = error.code.as_str().into();
    written["message"] = error.message.as_str().into();
    written["recoverable"] = (error.kind() == container_error::Kind::Recoverable).into();
    written["origin"] = origin(error).into();
    if let Some(at) = &error.timestamp {
        written["at"] = datetime::format(at).into();
    }
    if !error.worker.is_empty() {
        written["worker"] = error.worker.as_str().into();
    }
    written
}

/// Who caused an error, in lower case.
pub(super) fn origin(error: &ContainerError) -> String {
    error.origin().as_str_name().to_ascii_lowercase()
}

fn read_error(members: &Map<String, Value>) -> Result<ErrorDocument, DescribeError> {
    let text = |name: &'static str| match members.get(name) {
        None => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(DescribeError::form(name, "it must be a text")),
    };
    if members.len() == 1 {
        return Ok(ErrorDocument::default());
    }
    let origin = match text("origin")? {
        "" => ErrorKind::Unknown,
        name => ErrorKind::from_str_name(&name.to_ascii_uppercase())
            .ok_or_else(|| DescribeError::form("origin", "it must be unknown, user or system"))?,
    };
    let kind = match members.get("recoverable") {
        Some(Value::Bool(true)) => container_error::Kind::Recoverable,
        None | Some(Value::Bool(false)) => container_error::Kind::NonRecoverable,
        Some(_) => {
            return Err(DescribeError::form(
                "recoverable",
                "it must be true or false",
            ));
        }
    };
    let timestamp: Option<Timestamp> = match text("at")? {
        "" => None,
        at => {
            let read = datetime::parse(at);
            Some(read.map_err(|error| DescribeError::form("at", error.to_string()))?)
        }
    };
    Ok(ErrorDocument {
        error: Some(ContainerError {
            code: text("code")?.to_owned(),
            message: text("message")?.to_owned(),
            kind: kind.into(),
            origin: origin.into(),
            timestamp,
            worker: text("worker")?.to_owned(),
        }),
    })
}
