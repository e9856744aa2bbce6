//! The file of a single scalar (spec §3.2, column "on disk", and §3.3).

use std::io::{self, Write};

use super::binary::{Decoded, Place};
use super::json;
use super::node::RenderNode;
use crate::idl::{Primitive, Scalar, literal, primitive, scalar};
use crate::literal::msgpack::Value;
use crate::literal::{datetime, duration, float};

/// Writes the file of a scalar, without a final newline.
///
/// A reference (blob, schema, dataset) is its URI; a union is the file of the scalar inside it, or the
/// JSON of the list or map inside it; MessagePack is the file of its value. Errors come from the writer.
pub fn write_scalar(scalar: &Scalar, place: Place<'_>, out: &mut impl Write) -> io::Result<()> {
    let text = match &scalar.value {
        None | Some(scalar::Value::NoneType(_)) => "null",
        Some(scalar::Value::Primitive(primitive)) => return write_primitive(primitive, out),
        Some(scalar::Value::Blob(blob)) => &blob.uri,
        Some(scalar::Value::Schema(schema)) => &schema.uri,
        Some(scalar::Value::StructuredDataset(dataset)) => &dataset.uri,
        Some(scalar::Value::Binary(binary)) => {
            return write_decoded(place.decode(binary), place, out);
        }
        Some(scalar::Value::Error(error)) => &error.message,
        Some(scalar::Value::Generic(fields)) => {
            return json::write(&RenderNode::fields(fields), out);
        }
        Some(scalar::Value::Union(union)) => {
            return match union
                .value
                .as_deref()
                .and_then(|inner| inner.value.as_ref())
            {
                Some(literal::Value::Scalar(inner)) => {
                    write_scalar(inner, place.within(union), out)
                }
                _ => json::write(&RenderNode::scalar(scalar, place), out),
            };
        }
    };
    out.write_all(text.as_bytes())
}

/// A lone value has the file of its type. Of a struct, all values are JSON.
fn write_decoded(decoded: Decoded<'_>, place: Place<'_>, out: &mut impl Write) -> io::Result<()> {
    match decoded {
        Decoded::Bytes(bytes) => out.write_all(bytes),
        Decoded::Datetime(value) => out.write_all(datetime::format(&value).as_bytes()),
        Decoded::Duration(value) => out.write_all(duration::format(value).as_bytes()),
        Decoded::Packed(Value::Float(value)) if !place.is_struct() => {
            out.write_all(float::plain(value).as_bytes())
        }
        Decoded::Packed(Value::Text(text)) if !place.is_struct() => out.write_all(text.as_bytes()),
        Decoded::Packed(value) => json::write(&RenderNode::packed(value), out),
    }
}

fn write_primitive(primitive: &Primitive, out: &mut impl Write) -> io::Result<()> {
    match &primitive.value {
        None => out.write_all(b"null"),
        Some(primitive::Value::Integer(value)) => write!(out, "{value}"),
        Some(primitive::Value::FloatValue(value)) => out.write_all(float::plain(*value).as_bytes()),
        Some(primitive::Value::StringValue(value)) => out.write_all(value.as_bytes()),
        Some(primitive::Value::Boolean(value)) => write!(out, "{value}"),
        Some(primitive::Value::Datetime(value)) => {
            out.write_all(datetime::format(value).as_bytes())
        }
        Some(primitive::Value::Duration(value)) => {
            out.write_all(duration::format(duration::nanoseconds(value)).as_bytes())
        }
    }
}
