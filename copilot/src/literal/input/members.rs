//! Binary scalars, before anything is laid out: members of dataclasses that refer to data become
//! references, and MessagePack that cannot be shown gets a warning.
//!
//! flytekit sends a member such as `config.table` as a map with its reference, while the task that takes it
//! declares a file or a dataset, and expects it.

use std::fmt;

use crate::idl::{Literal, LiteralMap, literal, scalar};
use crate::literal::name::Shown;
use crate::literal::problems::Problems;
use crate::literal::render::{Binaries, Place};

/// Replaces each binary scalar that is a reference by its declared type and by its value, before a plan: a
/// plan does the same, and warns.
pub fn restore_members(literals: &mut LiteralMap, binaries: &Binaries) {
    restore(literals, binaries, &mut Problems::default());
}

/// Replaces each binary scalar that is a reference by its declared type and by its value. Warns of those
/// that their tag promises to be readable, and that are not.
pub(super) fn restore(
    literals: &mut LiteralMap,
    binaries: &Binaries,
    warnings: &mut Problems<String>,
) {
    let mut walk = Walk { warnings };
    walk.map(literals, binaries.top(), None);
}

/// The way to a literal, written only for a warning.
#[derive(Clone, Copy)]
struct Step<'a> {
    before: Option<&'a Step<'a>>,
    name: Name<'a>,
}

#[derive(Clone, Copy)]
enum Name<'a> {
    Key(&'a str),
    Index(usize),
}

struct Walk<'w> {
    warnings: &'w mut Problems<String>,
}

impl Walk<'_> {
    fn map(&mut self, map: &mut LiteralMap, place: Place<'_>, before: Option<&Step<'_>>) {
        for (key, literal) in &mut map.literals {
            let name = Name::Key(key);
            self.literal(literal, place.entry(key), &Step { before, name });
        }
    }

    fn literal(&mut self, literal: &mut Literal, place: Place<'_>, step: &Step<'_>) {
        match &mut literal.value {
            Some(literal::Value::Collection(list)) => {
                for (index, element) in list.literals.iter_mut().enumerate() {
                    let name = Name::Index(index);
                    let before = Some(step);
                    self.literal(element, place.element(), &Step { before, name });
                }
            }
            Some(literal::Value::Map(map)) => self.map(map, place, Some(step)),
            Some(literal::Value::Scalar(scalar)) => match &mut scalar.value {
                Some(scalar::Value::Union(union)) => {
                    if let Some(inner) = &mut union.value {
                        self.literal(inner, place.of(union.r#type.as_ref()), step);
                    }
                }
                Some(scalar::Value::Binary(binary)) => {
                    if let Some(refusal) = place.refusal(binary) {
                        self.warnings.push_with(|| format!(
                            "input {}: its binary value is tagged msgpack, but is not shown as JSON: {refusal}; its file has the bytes as they came",
                            Shown(&step.to_string())
                        ));
                    } else if let Some(reference) = place.reference(binary) {
                        scalar.value = Some(reference);
                    }
                }
                _ => {}
            },
            None | Some(literal::Value::OffloadedMetadata(_)) => {}
        }
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            write!(out, "{before}/")?;
        }
        match self.name {
            Name::Key(key) => out.write_str(key),
            Name::Index(index) => write!(out, "{index}"),
        }
    }
}
