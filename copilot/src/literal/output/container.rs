//! Lists and maps: a directory with an entry for each member, or a file that holds them all.

use super::item::Item;
use super::lookup::{elements, entries, entry};
use super::planner::{MOST_VALUES, Planner};
use super::problem::OutputRule;
use super::text;
use super::view::OutputView;
use crate::idl::{Literal, LiteralCollection, LiteralMap, LiteralType, literal};

impl<V: OutputView> Planner<'_, V> {
    /// A directory of `0`, `1`, …, or a JSON or YAML list.
    pub(super) fn collection(
        &mut self,
        element: &LiteralType,
        declared: &LiteralType,
        list: &Item<'_>,
    ) -> Result<Literal, OutputRule> {
        if !list.is_directory() {
            return self.tree(declared, list, ["JSON array", "YAML list"]);
        }
        let files = elements(list, self.view, MOST_VALUES)?;
        self.room_for(files.len())?;
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

    /// A directory with an entry by each key, or a JSON or YAML map.
    pub(super) fn map(
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
        self.room_for(keys.len())?;
        for key in keys {
            let path = map.found.path.join(&key);
            let found = entry(&path, self.view)?;
            let item = map.child(&key, key.as_ref(), found);
            let literal = self.literal(value, &item)?;
            literals.literals.insert(key, literal);
        }
        Ok(literal::Value::Map(literals).into())
    }

    /// What a file of JSON or YAML holds; `kinds` is what it must be, in each of them.
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
        self.member(declared, &tree)
            .map_err(|misfit| misfit.in_file(item.shown(self.view)))
    }
}
