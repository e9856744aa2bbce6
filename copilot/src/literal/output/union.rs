//! Which variant of a union a file, a directory or a member is. A fixed order decides: [`Rank`] is its
//! table, and `docs/container-contract.md` shows it to authors.
//!
//! A text may fit several types: `5` is an integer, a float and a string. The most exact type wins, so
//! a string that reads as a more exact variant becomes that variant.

use super::item::Item;
use crate::idl::literal_type::Type;
use crate::idl::{
    Literal, LiteralType, SimpleType, Union, Void, blob_type::BlobDimensionality, scalar,
};

/// The order in which variants are tried. Among equal ranks the first declared variant wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// NONE, for an empty file, and for the `null` that a download writes.
    Nothing,
    /// BOOLEAN, by its words: `true`, `false`.
    Boolean,
    Integer,
    Float,
    Datetime,
    Duration,
    Enum,
    Struct,
    Collection,
    Map,
    /// A union in a union.
    Union,
    /// BOOLEAN, by its letters and digits: `1`, `t`, …
    BooleanLetter,
    /// A blob, a schema or a structured dataset whose file holds a reference.
    Reference,
    /// A schema or a structured dataset, for a directory.
    Table,
    /// A blob, for a directory.
    Directory,
    String,
    Error,
    Binary,
    /// A blob, for a file.
    File,
    /// A schema or a structured dataset, for a file.
    TableFile,
    /// NONE, for a file of white space that no other variant takes.
    Blank,
}

/// The places of a variant in the order. If files hold references in place of data, all variants with
/// data share one place.
fn ranks(variant: &LiteralType, referenced: bool) -> &'static [Rank] {
    match &variant.r#type {
        Some(Type::Blob(_) | Type::Schema(_) | Type::StructuredDatasetType(_)) if referenced => {
            &[Rank::Reference]
        }
        Some(Type::Simple(number)) => match SimpleType::try_from(*number) {
            Ok(SimpleType::None) => &[Rank::Nothing, Rank::Blank],
            Ok(SimpleType::Boolean) => &[Rank::Boolean, Rank::BooleanLetter],
            Ok(SimpleType::Integer) => &[Rank::Integer],
            Ok(SimpleType::Float) => &[Rank::Float],
            Ok(SimpleType::Datetime) => &[Rank::Datetime],
            Ok(SimpleType::Duration) => &[Rank::Duration],
            Ok(SimpleType::Struct) => &[Rank::Struct],
            Ok(SimpleType::String) => &[Rank::String],
            Ok(SimpleType::Error) => &[Rank::Error],
            Ok(SimpleType::Binary) => &[Rank::Binary],
            Err(_) => &[],
        },
        Some(Type::EnumType(_)) => &[Rank::Enum],
        Some(Type::CollectionType(_)) => &[Rank::Collection],
        Some(Type::MapValueType(_)) => &[Rank::Map],
        Some(Type::UnionType(_)) => &[Rank::Union],
        Some(Type::Schema(_) | Type::StructuredDatasetType(_)) => &[Rank::Table, Rank::TableFile],
        Some(Type::Blob(blob)) if blob.dimensionality == BlobDimensionality::Multipart as i32 => {
            &[Rank::Directory]
        }
        Some(Type::Blob(_)) => &[Rank::File],
        None => &[],
    }
}

/// All variants with their ranks, in the order in which to try them.
pub fn in_order(variants: &[LiteralType], referenced: bool) -> Vec<(Rank, &LiteralType)> {
    let ranked = variants.iter().flat_map(|variant| {
        ranks(variant, referenced)
            .iter()
            .map(move |rank| (*rank, variant))
    });
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked
}

impl Rank {
    /// Whether what was found has the form that this place in the order asks for. `text` gives a
    /// file's content without white space around it.
    pub fn may_be<'c>(self, item: &Item<'_>, text: impl Fn() -> Option<&'c [u8]>) -> bool {
        match self {
            Self::Nothing => {
                !item.is_directory()
                    && (item.found.entry.size == 0 || text().is_some_and(|text| text == b"null"))
            }
            Self::Blank => text().is_some_and(<[u8]>::is_empty),
            Self::Boolean => text().is_some_and(|text| text.len() > 1),
            // One object and nothing after it. A struct alone would also take null, and ignores what
            // follows the object.
            Self::Struct if !item.is_yaml() => text().is_some_and(|text| {
                text.starts_with(b"{")
                    && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
            }),
            Self::Table => item.is_directory(),
            Self::TableFile => !item.is_directory(),
            _ => true,
        }
    }
}

/// The value of an output that is missing: NONE, if its type is a union with NONE.
pub fn value_of_nothing(declared: &LiteralType) -> Option<Literal> {
    let Some(Type::UnionType(union)) = &declared.r#type else {
        return None;
    };
    union.variants.iter().find_map(|variant| {
        let inner = if is_none(variant) {
            scalar::Value::NoneType(Void {}).into()
        } else {
            value_of_nothing(variant)?
        };
        Some(wrap(variant, inner))
    })
}

/// The variant that is not NONE, if there is exactly one: then the union is that type, which may be
/// missing.
pub fn only(variants: &[LiteralType]) -> Option<&LiteralType> {
    let mut others = variants.iter().filter(|variant| !is_none(variant));
    others.next().filter(|_| others.next().is_none())
}

pub fn is_none(variant: &LiteralType) -> bool {
    variant.r#type == Some(Type::Simple(SimpleType::None.into()))
}

/// The union literal: the value, and the variant that it is, with its tag.
pub fn wrap(variant: &LiteralType, inner: Literal) -> Literal {
    scalar::Value::Union(Box::new(Union {
        value: Some(Box::new(inner)),
        r#type: Some(variant.clone()),
    }))
    .into()
}
