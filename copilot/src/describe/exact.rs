//! The exact form of what has no words: the serialized message in base64, and beside it how it reads. It is an
//! object with the one name [`KEY`], and [`SHOWN`], which is for people only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::idl::{Literal, LiteralType, Message, decode_literal};

/// The name of the bytes.
const KEY: &str = "$pb";
/// The name of the form for people.
const SHOWN: &str = "as";

/// The exact form of a message.
pub(super) fn write(message: &impl Message, shown: Value) -> Value {
    let bytes = STANDARD.encode(message.encode_to_vec());
    let mut form = json!({ KEY: bytes });
    form[SHOWN] = shown;
    form
}

/// The bytes of an exact form; none if the value is something else. The error is the rule that it breaks.
fn bytes(value: &Value) -> Option<Result<Vec<u8>, String>> {
    let text = value.as_object()?.get(KEY)?.as_str()?;
    let decoded = STANDARD.decode(text);
    Some(decoded.map_err(|error| format!("{KEY} is not base64 with padding: {error}")))
}

/// The literal of an exact form.
pub(super) fn literal(value: &Value) -> Option<Result<Literal, String>> {
    let bytes = bytes(value)?;
    Some(bytes.and_then(|bytes| decode_literal(&bytes[..]).map_err(|error| error.to_string())))
}

/// The type of an exact form.
pub(super) fn declared(value: &Value) -> Option<Result<LiteralType, String>> {
    let bytes = bytes(value)?;
    Some(bytes.and_then(|bytes| {
        LiteralType::decode(&bytes[..])
            .map_err(|error| format!("{KEY} is not a serialized LiteralType: {error}"))
    }))
}
