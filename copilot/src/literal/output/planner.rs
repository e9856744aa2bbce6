//! The walk that makes a plan: one value at a time, by its declared type.
//!
//! It goes through files and directories. Data is the [`DataPlanner`]'s; what a JSON or YAML file
//! holds is the [`MemberReader`]'s.

use super::data::{Data, DataPlanner};
use super::draft::{Draft, MOST_VALUES};
use super::extension::named;
use super::item::Item;
use super::lookup::{elements, entries, entry, find};
use super::member::MemberReader;
use super::plan::{OutputOptions, StructOutputs};
use super::problem::OutputRule;
use super::structure::Structure;
use super::text::{self, TextError};
use super::union::{in_order, is_none, only, value_of_nothing, wrap};
use super::view::OutputView;
use crate::idl::literal_type::Type;
use crate::idl::{Literal, LiteralCollection, LiteralMap, LiteralType, SimpleType, literal};

/// Makes the literals of outputs, and drafts what must be uploaded for them.
pub struct OutputPlanner<'a, V> {
    view: &'a V,
    max_simple_size: u64,
    structs: StructOutputs,
    data: DataPlanner<'a, V>,
    pub draft: Draft,
}

impl<'a, V: OutputView> OutputPlanner<'a, V> {
    pub fn new(view: &'a V, options: OutputOptions, data: Data<'a>) -> Self {
        Self {
            view,
            max_simple_size: options.max_simple_size,
            structs: options.structs,
            data: DataPlanner::new(view, options.blob_names, data),
            draft: Draft::new(options.max_simple_size),
        }
    }

    /// The literal of a declared output.
    pub fn output(
        &mut self,
        variable: &str,
        declared: &LiteralType,
    ) -> Result<Literal, OutputRule> {
        if !is_known(declared) {
            return Err(OutputRule::unsupported(declared));
        }
        match find(variable, self.view) {
            Ok(found) => self.literal(declared, &Item::new(vec![variable], found)),
            Err(missing @ OutputRule::Missing { .. }) => value_of_nothing(declared).ok_or(missing),
            Err(rule) => Err(rule),
        }
    }

    /// The literal of a file or directory.
    fn literal(&mut self, declared: &LiteralType, item: &Item<'_>) -> Result<Literal, OutputRule> {
        match &declared.r#type {
            Some(Type::Simple(number)) => {
                let kind =
                    SimpleType::try_from(*number).map_err(|_| OutputRule::unsupported(declared))?;
                self.simple(kind, declared, item)
            }
            Some(Type::EnumType(values)) => {
                let content = self.content(declared, item)?;
                text::enumeration(&values.values, content).map_err(|cause| self.text(item, cause))
            }
            Some(Type::CollectionType(element)) => self.collection(element, declared, item),
            Some(Type::MapValueType(value)) => self.map(value, declared, item),
            Some(Type::Blob(blob)) => self.data.blob(blob, declared, item, &mut self.draft),
            Some(Type::Schema(schema)) => self.data.schema(schema, item, &mut self.draft),
            Some(Type::StructuredDatasetType(dataset)) => {
                self.data.dataset(dataset, item, &mut self.draft)
            }
            Some(Type::UnionType(union)) => self.union(&union.variants, declared, item),
            None => Err(OutputRule::unsupported(declared)),
        }
    }

    fn simple(
        &mut self,
        kind: SimpleType,
        declared: &LiteralType,
        item: &Item<'_>,
    ) -> Result<Literal, OutputRule> {
        // NONE holds nothing, so the content does not matter, whatever its size.
        if kind == SimpleType::None && !item.is_directory() {
            item.special(self.view)?;
            return text::parse(kind, &[]).map_err(|cause| self.text(item, cause));
        }
        let content = self.content(declared, item)?;
        let literal = match kind {
            SimpleType::Struct => {
                let structure = Structure::new(declared, self.structs);
                self.draft
                    .count_members(structure.weight(content, item.is_yaml()))?;
                text::structure(structure, content, item.is_yaml())
            }
            _ => text::parse(kind, content),
        };
        literal.map_err(|cause| self.text(item, cause))
    }

    /// A directory of `0`, `1`, …, or a JSON or YAML list.
    fn collection(
        &mut self,
        element: &LiteralType,
        declared: &LiteralType,
        list: &Item<'_>,
    ) -> Result<Literal, OutputRule> {
        if !list.is_directory() {
            return self.tree(declared, list, ["JSON array", "YAML list"]);
        }
        let files = elements(list, self.view, MOST_VALUES)?;
        self.draft.room_for(files.len())?;
        let mut literals = Vec::with_capacity(files.len());
        for (index, file) in files.iter().enumerate() {
            let path = list.found.path.join(file);
            let found = entry(&path, self.view)?;
            let name = index.to_string();
            let item = list.child(&name, file.as_ref(), found);
            literals.push(self.literal(element, &item)?);
        }
        Ok(literal::Value::Collection(LiteralCollection { literals }).into())
    }

    /// A directory with an entry for each key, or a JSON or YAML map.
    fn map(
        &mut self,
        value: &LiteralType,
        declared: &LiteralType,
        map: &Item<'_>,
    ) -> Result<Literal, OutputRule> {
        if !map.is_directory() {
            return self.tree(declared, map, ["JSON object", "YAML map"]);
        }
        let mut literals = LiteralMap::default();
        let keys = entries(map, self.view, MOST_VALUES)?;
        self.draft.room_for(keys.len())?;
        for key in keys {
            let path = map.found.path.join(&key);
            let found = entry(&path, self.view)?;
            let item = map.child(&key, key.as_ref(), found);
            let literal = self.literal(value, &item)?;
            self.draft.count_bytes(2 * key.len() as u64)?;
            literals.literals.insert(key, literal);
        }
        Ok(literal::Value::Map(literals).into())
    }

    /// What a file of JSON or YAML holds. `kinds` says what each of them must be.
    fn tree(
        &mut self,
        declared: &LiteralType,
        item: &Item<'_>,
        kinds: [&'static str; 2],
    ) -> Result<Literal, OutputRule> {
        let kind = kinds[usize::from(item.is_yaml())];
        let content = self.content(declared, item)?;
        let tree = text::tree(content, kind, item.is_yaml());
        let tree = tree.map_err(|cause| self.text(item, cause))?;
        MemberReader::new(&mut self.draft, self.data.is_referenced(), self.structs)
            .literal(declared, &tree)
            .map_err(|mismatch| mismatch.in_file(item.shown(self.view)))
    }

    /// The first variant of a union that takes what was found.
    fn union(
        &mut self,
        variants: &[LiteralType],
        declared: &LiteralType,
        item: &Item<'_>,
    ) -> Result<Literal, OutputRule> {
        item.special(self.view)?;
        let limit = self.max_simple_size;
        // No variant can be tried on a file that cannot be read.
        if let Err(rule @ OutputRule::Unreadable { .. }) =
            item.content(self.view, limit, String::new)
        {
            return Err(rule);
        }
        let view = self.view;
        let text = || item.content(view, limit, String::new).ok().map(text::trim);
        let named = match only(variants) {
            Some(only) => vec![only],
            None => named(variants, item.extension()),
        };
        let mut refusal = None;
        for (rank, variant) in in_order(variants, self.data.is_referenced()) {
            let is_named = named.iter().any(|named| std::ptr::eq(*named, variant));
            let is_candidate = match named.as_slice() {
                [_] if !is_none(variant) => is_named,
                [] => rank.may_be(item, text),
                // An empty file is NONE, whatever its name.
                _ => (is_named || is_none(variant)) && rank.may_be(item, text),
            };
            if !is_candidate {
                continue;
            }
            let mark = self.draft.mark();
            match self.literal(variant, item) {
                Ok(inner) => return Ok(wrap(variant, inner)),
                Err(rule @ OutputRule::Unreadable { .. }) => return Err(rule),
                Err(rule) if !matches!(refusal, Some(OutputRule::TooMany { .. })) => {
                    refusal = Some(rule);
                }
                Err(_) => {}
            }
            self.draft.go_back(mark);
        }
        match refusal {
            Some(rule @ OutputRule::TooMany { .. }) => Err(rule),
            // With a single candidate, its own words say more.
            Some(rule) if named.len() == 1 => Err(rule),
            _ => Err(OutputRule::NoVariant {
                declared: declared.to_string(),
                path: item.shown(self.view),
            }),
        }
    }

    /// The content of a file that becomes a part of `outputs.pb`.
    fn content<'b>(
        &mut self,
        declared: &LiteralType,
        item: &'b Item<'_>,
    ) -> Result<&'b [u8], OutputRule> {
        let content = item.content(self.view, self.max_simple_size, || declared.to_string())?;
        self.draft.count(content.len() as u64)?;
        Ok(content)
    }

    fn text(&self, item: &Item<'_>, cause: TextError) -> OutputRule {
        OutputRule::Text {
            path: item.shown(self.view),
            cause,
        }
    }
}

/// Whether we know the whole type: else an empty list of an unknown type would pass. Some variants of a
/// union may be unknown, as long as the file fits another variant.
fn is_known(declared: &LiteralType) -> bool {
    match &declared.r#type {
        None => false,
        Some(Type::CollectionType(inner) | Type::MapValueType(inner)) => is_known(inner),
        Some(Type::Simple(number)) => SimpleType::try_from(*number).is_ok(),
        Some(Type::UnionType(union)) => union.variants.iter().any(is_known),
        Some(_) => true,
    }
}
