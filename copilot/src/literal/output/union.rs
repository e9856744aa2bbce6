//! Which variant of a union a file, a directory or a member is. The order is fixed and always
//! decides: [`Rank`] is its table, and `docs/container-contract.md` shows it to authors.
//!
//! A text may be of several types: `5` is an integer, a float and a string. The most exact one
//! counts; so a string that reads as a variant that is more exact becomes that one.

use serde_json::Value;

use super::extension::named;
use super::item::Item;
use super::member::Misfit;
use super::planner::Planner;
use super::problem::OutputRule;
use super::text::trim;
use super::view::OutputView;
use crate::idl::literal_type::Type;
use crate::idl::{
    Literal, LiteralType, SimpleType, Union, Void, blob_type::BlobDimensionality, scalar,
};

/// The order in which variants are tried; of equal ones the first declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// NONE, for an empty file, and for the `null` that a download writes for it.
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
    /// NONE, for a file of nothing but white space that no other variant takes.
    Blank,
}

/// The places of a variant in the order; where files hold references in the place of data, those
/// that have data are one.
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

fn in_order(variants: &[LiteralType], referenced: bool) -> Vec<(Rank, &LiteralType)> {
    let ranked = variants.iter().flat_map(|variant| {
        ranks(variant, referenced)
            .iter()
            .map(move |rank| (*rank, variant))
    });
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked
}

impl<V: OutputView> Planner<'_, V> {
    /// The union of what was found.
    pub(super) fn union(
        &mut self,
        variants: &[LiteralType],
        declared: &LiteralType,
        item: &Item<'_>,
    ) -> Result<Literal, OutputRule> {
        item.special(self.view)?;
        let limit = self.options.max_simple_size;
        // Nothing can be said of what cannot be read.
        if let Err(rule @ OutputRule::Unreadable { .. }) =
            item.content(self.view, limit, String::new)
        {
            return Err(rule);
        }
        let named = match only(variants) {
            Some(only) => vec![only],
            None => named(variants, item.extension()),
        };
        let mut refusal = None;
        for (rank, variant) in in_order(variants, self.data.is_referenced()) {
            let is_named = named.iter().any(|named| std::ptr::eq(*named, variant));
            let is_candidate = match named.as_slice() {
                [_] if !is_none(variant) => is_named,
                [] => self.may_be(rank, item),
                // An empty file is NONE, whatever it is called.
                _ => (is_named || is_none(variant)) && self.may_be(rank, item),
            };
            if !is_candidate {
                continue;
            }
            let mark = self.noted.mark();
            match self.literal(variant, item) {
                Ok(inner) => return Ok(wrap(variant, inner)),
                Err(rule @ OutputRule::Unreadable { .. }) => return Err(rule),
                Err(rule) if !matches!(refusal, Some(OutputRule::TooMany { .. })) => {
                    refusal = Some(rule);
                }
                Err(_) => {}
            }
            self.noted.go_back(mark);
        }
        match refusal {
            Some(rule @ OutputRule::TooMany { .. }) => Err(rule),
            // What the only variant that it may be has to say is worth more.
            Some(rule) if named.len() == 1 => Err(rule),
            _ => Err(OutputRule::NoVariant {
                declared: declared.to_string(),
                path: item.shown(self.view),
            }),
        }
    }

    /// Whether what was found has the form that a place in the order asks for.
    fn may_be(&self, rank: Rank, item: &Item<'_>) -> bool {
        let text = || {
            let content = item.content(self.view, self.options.max_simple_size, String::new);
            content.ok().map(trim)
        };
        match rank {
            Rank::Nothing => {
                !item.is_directory()
                    && (item.found.entry.size == 0 || text().is_some_and(|text| text == b"null"))
            }
            Rank::Blank => text().is_some_and(<[u8]>::is_empty),
            Rank::Boolean => text().is_some_and(|text| text.len() > 1),
            // One object and nothing after it; a struct alone would take null, and any text behind.
            Rank::Struct if !item.is_yaml() => text().is_some_and(|text| {
                text.starts_with(b"{")
                    && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
            }),
            Rank::Table => item.is_directory(),
            Rank::TableFile => !item.is_directory(),
            _ => true,
        }
    }

    /// The union of a member of a JSON or YAML file.
    pub(super) fn union_member(
        &mut self,
        variants: &[LiteralType],
        declared: &LiteralType,
        value: &Value,
    ) -> Result<Literal, Misfit> {
        let mut refusal = None;
        for (rank, variant) in in_order(variants, self.data.is_referenced()) {
            // Null is NONE if it can be; of binary data and structs it is the empty one.
            if rank == Rank::Nothing && !value.is_null() {
                continue;
            }
            let mark = self.noted.mark();
            match self.member(variant, value) {
                Ok(inner) => return Ok(wrap(variant, inner)),
                Err(misfit) => refusal = Some(misfit),
            }
            self.noted.go_back(mark);
        }
        match refusal {
            Some(misfit) if only(variants).is_some() => Err(misfit),
            _ => Err(Misfit::new(format_args!(
                "its type is {declared}, and it is none of them"
            ))),
        }
    }
}

/// The value of a type for which nothing is there: NONE, if the type is a union that has it.
pub fn of_nothing(declared: &LiteralType) -> Option<Literal> {
    let Some(Type::UnionType(union)) = &declared.r#type else {
        return None;
    };
    union.variants.iter().find_map(|variant| {
        let inner = if is_none(variant) {
            scalar::Value::NoneType(Void {}).into()
        } else {
            of_nothing(variant)?
        };
        Some(wrap(variant, inner))
    })
}

/// The one variant that is not NONE, if there is one only: then it is as if the union were that
/// type, but that it may be missing.
fn only(variants: &[LiteralType]) -> Option<&LiteralType> {
    let mut others = variants.iter().filter(|variant| !is_none(variant));
    others.next().filter(|_| others.next().is_none())
}

fn is_none(variant: &LiteralType) -> bool {
    variant.r#type == Some(Type::Simple(SimpleType::None.into()))
}

/// A union holds the value and the variant that it is, with its tag.
fn wrap(variant: &LiteralType, inner: Literal) -> Literal {
    scalar::Value::Union(Box::new(Union {
        value: Some(Box::new(inner)),
        r#type: Some(variant.clone()),
    }))
    .into()
}
