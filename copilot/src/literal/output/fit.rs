//! Numbers of a struct as its members are declared. JSON has one kind of number, and many libraries write
//! `1.0` as `1`; flytekit refuses a whole number where a workflow passes on a member that is a float.

use serde_json::{Number, Value};

use super::union::only;
use crate::idl::literal_type::Type;
use crate::idl::{LiteralType, SimpleType};

/// Below 2^53 each integer has a double of its own.
const LIMIT: f64 = 9_007_199_254_740_992.0;

/// Makes whole numbers floats, and floats whole numbers, where that is declared and changes no value.
pub fn fit(value: &mut Value, declared: &LiteralType) {
    match (&declared.r#type, value) {
        (Some(Type::Simple(kind)), Value::Number(number)) => {
            let fitted = match SimpleType::try_from(*kind) {
                Ok(SimpleType::Float) => float(number),
                Ok(SimpleType::Integer) => integer(number),
                _ => None,
            };
            if let Some(fitted) = fitted {
                *number = fitted;
            }
        }
        (Some(Type::Simple(_)), Value::Object(members)) => {
            let structure = declared.structure.iter();
            for (name, declared) in structure.flat_map(|structure| &structure.dataclass_type) {
                if let Some(member) = members.get_mut(name) {
                    fit(member, declared);
                }
            }
        }
        (Some(Type::CollectionType(of)), Value::Array(items)) => {
            for item in items {
                fit(item, of);
            }
        }
        (Some(Type::MapValueType(of)), Value::Object(members)) => {
            for member in members.values_mut() {
                fit(member, of);
            }
        }
        (Some(Type::UnionType(union)), value) => {
            if let Some(only) = only(&union.variants) {
                fit(value, only);
            }
        }
        _ => {}
    }
}

fn float(number: &Number) -> Option<Number> {
    let double = number.as_f64().filter(|double| double.abs() < LIMIT)?;
    Number::from_f64(double)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before"
)]
fn integer(number: &Number) -> Option<Number> {
    let double = number.as_f64().filter(|_| number.is_f64())?;
    let is_whole = double.fract() == 0.0 && double.abs() < LIMIT;
    is_whole.then(|| Number::from(double as i64))
}
