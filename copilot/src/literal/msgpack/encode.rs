//! JSON as MessagePack, as flytekit's library writes it: each number in its shortest form, texts as text.

use std::io;

use rmp::encode::{
    ValueWriteError, write_array_len, write_bool, write_f64, write_map_len, write_nil, write_sint,
    write_str, write_uint,
};
use serde_json::{Number, Value};

/// The bytes of a JSON value. Whole numbers stay whole, and others are doubles.
///
/// Fails for a text, a list or a map of 4 GiB or more.
pub fn encode(value: &Value) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(value, &mut bytes)?;
    Ok(bytes)
}

fn write(value: &Value, out: &mut Vec<u8>) -> io::Result<()> {
    match value {
        Value::Null => write_nil(out)?,
        Value::Bool(value) => write_bool(out, *value)?,
        Value::Number(number) => write_number(number, out)?,
        Value::String(text) => {
            length(text.len())?;
            write_str(out, text)?;
        }
        Value::Array(items) => {
            write_array_len(out, length(items.len())?)?;
            for item in items {
                write(item, out)?;
            }
        }
        Value::Object(members) => {
            write_map_len(out, length(members.len())?)?;
            for (key, member) in members {
                length(key.len())?;
                write_str(out, key)?;
                write(member, out)?;
            }
        }
    }
    Ok(())
}

fn write_number(number: &Number, out: &mut Vec<u8>) -> Result<(), ValueWriteError> {
    if let Some(value) = number.as_i64() {
        write_sint(out, value).map(drop)
    } else if let Some(value) = number.as_u64() {
        write_uint(out, value).map(drop)
    } else {
        write_f64(out, number.as_f64().unwrap_or(f64::NAN))
    }
}

fn length(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(|_| io::Error::other("MessagePack holds less than 4 GiB at once"))
}
