//! How a binary scalar is shown: as its bytes, or as the value that its MessagePack holds.
//!
//! The tag says that it is MessagePack. That is not enough: each BINARY output has this tag, too, whatever
//! its bytes are. So the declared type counts where it is known, and bytes that are not exactly one value
//! stay bytes.

use std::collections::BTreeMap;

use prost_types::Timestamp;

use crate::idl::literal_type::Type;
use crate::idl::{
    Binary, Blob, BlobMetadata, LiteralType, Schema, SimpleType, StructuredDataset,
    StructuredDatasetMetadata, Union, scalar,
};
use crate::literal::msgpack::{self, PackedError, Value};
use crate::literal::python;

/// The choices of `--binary-inputs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BinaryForm {
    /// MessagePack as the value that it holds, in the form of JSON.
    #[default]
    Json,
    /// Bytes, whatever they hold. The reference does this.
    Reference,
}

/// What decides how the binary scalars of a map are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Binaries {
    /// The choice.
    pub form: BinaryForm,
    /// The declared types of the variables, as far as they are known.
    pub types: BTreeMap<String, LiteralType>,
}

/// The place of a literal: what decides there, and the type that is declared for it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    form: BinaryForm,
    declared: Declared<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Declared<'a> {
    Unknown,
    /// The map of all variables.
    Variables(&'a BTreeMap<String, LiteralType>),
    Type(&'a LiteralType),
}

/// What a binary scalar is.
#[derive(Clone, Copy, Debug)]
pub enum Decoded<'a> {
    /// Only bytes.
    Bytes(&'a [u8]),
    /// A value.
    Packed(Value<'a>),
    /// A text that is declared to be a point in time.
    Datetime(Timestamp),
    /// A number of seconds that is declared to be a duration; here in nanoseconds.
    Duration(i64),
}

impl Binaries {
    /// The place of the map of all variables.
    #[must_use]
    pub fn top(&self) -> Place<'_> {
        Place {
            form: self.form,
            declared: Declared::Variables(&self.types),
        }
    }
}

impl<'a> Place<'a> {
    /// A place of which nothing is known.
    #[must_use]
    pub fn unknown(form: BinaryForm) -> Self {
        let declared = Declared::Unknown;
        Self { form, declared }
    }

    /// The place of a variable, or of a map's entry.
    #[must_use]
    pub fn entry(self, key: &str) -> Self {
        self.of(match self.declared {
            Declared::Variables(types) => types.get(key),
            _ => match self.kind() {
                Some(Type::MapValueType(of)) => Some(&**of),
                _ => None,
            },
        })
    }

    /// The place of each element of a list.
    #[must_use]
    pub fn element(self) -> Self {
        self.of(match self.kind() {
            Some(Type::CollectionType(of)) => Some(&**of),
            _ => None,
        })
    }

    /// The place of a union's value. The literal itself says which variant it is.
    #[must_use]
    pub fn within(self, union: &'a Union) -> Self {
        self.of(union.r#type.as_ref())
    }

    /// The place of a literal of this type.
    #[must_use]
    pub fn of(self, declared: Option<&'a LiteralType>) -> Self {
        Self {
            declared: declared.map_or(Declared::Unknown, Declared::Type),
            ..self
        }
    }

    /// The declared type. A union that only adds NONE to a type is that type: a member of a dataclass
    /// comes without the union.
    fn kind(self) -> Option<&'a Type> {
        let Declared::Type(declared) = self.declared else {
            return None;
        };
        let Some(Type::UnionType(union)) = &declared.r#type else {
            return declared.r#type.as_ref();
        };
        let none = Type::Simple(SimpleType::None.into());
        let kinds = union
            .variants
            .iter()
            .filter_map(|variant| variant.r#type.as_ref());
        let mut others = kinds.filter(|kind| **kind != none);
        others.next().filter(|_| others.next().is_none())
    }

    fn simple(self) -> Option<SimpleType> {
        match self.kind() {
            Some(Type::Simple(number)) => SimpleType::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Whether a struct is declared here.
    pub(super) fn is_struct(self) -> bool {
        self.simple() == Some(SimpleType::Struct)
    }

    /// What a binary scalar in this place is.
    pub(super) fn decode(self, binary: &'a Binary) -> Decoded<'a> {
        let Some(Ok(value)) = self.read(binary) else {
            return Decoded::Bytes(&binary.value);
        };
        match (self.simple(), value) {
            (Some(SimpleType::Datetime), Value::Text(text)) => {
                python::isoformat(text).map_or(Decoded::Packed(value), Decoded::Datetime)
            }
            (Some(SimpleType::Duration), value) => {
                nanoseconds(value).map_or(Decoded::Packed(value), Decoded::Duration)
            }
            // Other tools write each number as a double.
            (Some(SimpleType::Integer), Value::Float(number)) => {
                Decoded::Packed(whole(number).map_or(value, Value::Integer))
            }
            (_, value) => Decoded::Packed(value),
        }
    }

    /// The reference that a binary scalar in this place stands for: data is declared, and the value is the
    /// map that flytekit writes for it.
    #[must_use]
    pub fn reference(self, binary: &Binary) -> Option<scalar::Value> {
        let kind = self.kind()?;
        let key = match kind {
            Type::Blob(_) => "path",
            Type::Schema(_) => "remote_path",
            Type::StructuredDatasetType(_) => "uri",
            _ => return None,
        };
        let Value::Map(map) = self.read(binary)?.ok()? else {
            return None;
        };
        let uri = map.text(key)?.to_owned();
        Some(match kind.clone() {
            Type::Blob(blob) => {
                let metadata = Some(BlobMetadata { r#type: Some(blob) });
                scalar::Value::Blob(Blob { metadata, uri })
            }
            Type::Schema(schema) => {
                let r#type = Some(schema);
                scalar::Value::Schema(Schema { uri, r#type })
            }
            Type::StructuredDatasetType(mut declared) => {
                if declared.format.is_empty() {
                    map.text("file_format")
                        .unwrap_or_default()
                        .clone_into(&mut declared.format);
                }
                let metadata = Some(StructuredDatasetMetadata {
                    structured_dataset_type: Some(declared),
                });
                scalar::Value::StructuredDataset(Box::new(StructuredDataset { uri, metadata }))
            }
            _ => return None,
        })
    }

    /// Why a binary scalar in this place is shown as bytes, although its tag says that it is
    /// MessagePack. None if it is shown as a value, or is meant to be bytes.
    #[must_use]
    pub fn refusal(self, binary: &Binary) -> Option<PackedError> {
        self.read(binary)?.err()
    }

    /// Reads MessagePack. None for what is meant to be bytes.
    fn read(self, binary: &Binary) -> Option<Result<Value<'_>, PackedError>> {
        let is_packed = self.form == BinaryForm::Json
            && binary.tag == msgpack::TAG
            && self.simple() != Some(SimpleType::Binary);
        is_packed.then(|| msgpack::check(&binary.value))
    }
}

/// The integer that a double is, as far as each integer has a double of its own.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before"
)]
fn whole(number: f64) -> Option<i64> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let is_whole = number.fract() == 0.0 && number.abs() <= LARGEST;
    is_whole.then_some(number as i64)
}

/// The nanoseconds of a number of seconds, by which flytekit writes a `timedelta`. Like that, to the
/// microsecond.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the range is checked before, and a number of seconds beyond 2^53 is out of it"
)]
fn nanoseconds(seconds: Value<'_>) -> Option<i64> {
    let microseconds = match seconds {
        Value::Float(seconds) => (seconds * 1e6).round(),
        Value::Integer(seconds) => seconds as f64 * 1e6,
        _ => return None,
    };
    let is_in_range = microseconds.abs() < i64::MAX as f64 / 1e3;
    is_in_range.then(|| microseconds as i64 * 1_000)
}
