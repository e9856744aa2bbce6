//! The walk that makes a plan: one value at a time, by its declared type.
//!
//! Here: what a single file holds, and what is the same for all types. What lies in directories
//! (`container`), what is uploaded (`data`), and what may be one of several (`union`) stand beside
//! it, as further methods of the same planner.

use super::item::Item;
use super::lookup::find;
use super::object;
use super::plan::{BlobOutput, OutputOptions};
use super::problem::OutputRule;
use super::text::{self, TextError};
use super::union::of_nothing;
use super::view::OutputView;
use crate::idl::literal_type::Type;
use crate::idl::{Literal, LiteralType, SimpleType, scalar};

/// How many values an upload may hold. More would neither fit our memory nor be read by the
/// platform, whose limit for all outputs is a few MiB.
pub const MOST_VALUES: usize = 100_000;
/// How many bytes all values may have together, unless one alone may have more.
const MOST_BYTES: u64 = 32 << 20;

/// Makes literals, and notes what must be uploaded for them.
pub struct Planner<'a, V> {
    pub view: &'a V,
    pub options: OutputOptions,
    /// Where the data of blobs, schemas and datasets is.
    pub data: Data<'a>,
    /// What has been noted so far.
    pub noted: Noted,
}

/// Where the data of blobs, schemas and datasets is.
pub enum Data<'a> {
    /// In the output directory, to be uploaded. Gives the reference of a blob by the segments of its
    /// name.
    Uploaded(&'a mut dyn FnMut(&[String]) -> String),
    /// In a store, where main has put it; the output directory holds references. Says what is wrong
    /// with one.
    Referenced(&'a dyn Fn(&str) -> Result<(), String>),
}

impl Data<'_> {
    pub fn is_referenced(&self) -> bool {
        matches!(self, Self::Referenced(_))
    }
}

/// What a planner has noted. An attempt that fails is taken back.
#[derive(Default)]
pub struct Noted {
    pub blobs: Vec<BlobOutput>,
    values: usize,
    bytes: u64,
}

/// Where a planner was.
#[derive(Clone, Copy)]
pub struct Mark {
    blobs: usize,
    values: usize,
    bytes: u64,
}

impl Noted {
    /// Where an attempt begins.
    pub fn mark(&self) -> Mark {
        Mark {
            blobs: self.blobs.len(),
            values: self.values,
            bytes: self.bytes,
        }
    }

    /// Forgets what an attempt noted.
    pub fn go_back(&mut self, mark: Mark) {
        self.blobs.truncate(mark.blobs);
        self.values = mark.values;
        self.bytes = mark.bytes;
    }
}

impl<'a, V: OutputView> Planner<'a, V> {
    pub fn new(view: &'a V, options: OutputOptions, data: Data<'a>) -> Self {
        Self {
            view,
            options,
            data,
            noted: Noted::default(),
        }
    }

    pub fn into_blobs(self) -> Vec<BlobOutput> {
        self.noted.blobs
    }

    /// The literal of a declared output.
    pub fn output(
        &mut self,
        variable: &str,
        declared: &LiteralType,
    ) -> Result<Literal, OutputRule> {
        if !is_known(declared) {
            return Err(unsupported(declared));
        }
        match find(variable, self.view) {
            Ok(found) => self.literal(declared, &Item::new(vec![variable], found)),
            Err(missing @ OutputRule::Missing { .. }) => of_nothing(declared).ok_or(missing),
            Err(rule) => Err(rule),
        }
    }

    /// The literal of what was found.
    pub fn literal(
        &mut self,
        declared: &LiteralType,
        item: &Item<'_>,
    ) -> Result<Literal, OutputRule> {
        match &declared.r#type {
            Some(Type::Simple(number)) => {
                let kind = SimpleType::try_from(*number).map_err(|_| unsupported(declared))?;
                self.simple(kind, declared, item)
            }
            Some(Type::EnumType(values)) => {
                let content = self.content(declared, item)?;
                text::enumeration(&values.values, content).map_err(|cause| self.text(item, cause))
            }
            Some(Type::CollectionType(element)) => self.collection(element, declared, item),
            Some(Type::MapValueType(value)) => self.map(value, declared, item),
            Some(Type::Blob(blob)) => self.blob(blob, declared, item),
            Some(Type::Schema(schema)) => self.schema(schema, item),
            Some(Type::StructuredDatasetType(dataset)) => self.dataset(dataset, item),
            Some(Type::UnionType(union)) => self.union(&union.variants, declared, item),
            None => Err(unsupported(declared)),
        }
    }

    fn simple(
        &mut self,
        kind: SimpleType,
        declared: &LiteralType,
        item: &Item<'_>,
    ) -> Result<Literal, OutputRule> {
        // The file says nothing that this type could hold, whatever its size.
        if kind == SimpleType::None && !item.is_directory() {
            item.special(self.view)?;
            return text::parse(kind, &[]).map_err(|cause| self.text(item, cause));
        }
        let content = self.content(declared, item)?;
        if kind == SimpleType::Struct && item.is_yaml() {
            return self.structure(item, content);
        }
        text::parse(kind, content).map_err(|cause| self.text(item, cause))
    }

    /// A struct that is written as YAML.
    fn structure(&self, item: &Item<'_>, content: &[u8]) -> Result<Literal, OutputRule> {
        let tree = text::tree(content, "YAML map", true).map_err(|cause| self.text(item, cause))?;
        let fields = object::from_value(tree)
            .map_err(|rule| self.text(item, text::malformed_bytes("YAML map", content, rule)))?;
        Ok(scalar::Value::Generic(fields).into())
    }

    /// The content of a file that becomes a part of `outputs.pb`.
    pub fn content<'b>(
        &mut self,
        declared: &LiteralType,
        item: &'b Item<'_>,
    ) -> Result<&'b [u8], OutputRule> {
        let limit = self.options.max_simple_size;
        let content = item.content(self.view, limit, || declared.to_string())?;
        self.count(content.len() as u64)?;
        Ok(content)
    }

    /// Counts one more value.
    pub fn count(&mut self, bytes: u64) -> Result<(), OutputRule> {
        self.room_for(1)?;
        self.noted.values += 1;
        self.noted.bytes += bytes;
        if self.noted.bytes > self.most_bytes() {
            return Err(self.too_many());
        }
        Ok(())
    }

    /// An error if so many more values are too many.
    pub fn room_for(&self, values: usize) -> Result<(), OutputRule> {
        if self.noted.values + values > MOST_VALUES {
            return Err(self.too_many());
        }
        Ok(())
    }

    fn most_bytes(&self) -> u64 {
        MOST_BYTES.max(self.options.max_simple_size)
    }

    fn too_many(&self) -> OutputRule {
        OutputRule::TooMany {
            values: MOST_VALUES,
            bytes: self.most_bytes(),
        }
    }

    pub fn text(&self, item: &Item<'_>, cause: TextError) -> OutputRule {
        OutputRule::Text {
            path: item.shown(self.view),
            cause,
        }
    }
}

/// Whether we know all of a type, so that an empty list of an unknown type is not taken for one. Of
/// a union's variants some may be newer than we are, if what is there is none of them.
fn is_known(declared: &LiteralType) -> bool {
    match &declared.r#type {
        None => false,
        Some(Type::CollectionType(inner) | Type::MapValueType(inner)) => is_known(inner),
        Some(Type::Simple(number)) => SimpleType::try_from(*number).is_ok(),
        Some(Type::UnionType(union)) => union.variants.iter().any(is_known),
        Some(_) => true,
    }
}

/// That a type is none we know.
pub fn unsupported(declared: &LiteralType) -> OutputRule {
    OutputRule::Unsupported(declared.to_string())
}
