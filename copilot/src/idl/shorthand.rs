//! Builds literals and reads interfaces without naming every level of the messages.

use std::collections::BTreeMap;

use super::{Literal, LiteralType, Primitive, Scalar, VariableMap, literal, primitive, scalar};

impl From<literal::Value> for Literal {
    fn from(value: literal::Value) -> Self {
        Self {
            value: Some(value),
            ..Self::default()
        }
    }
}

impl From<scalar::Value> for Literal {
    fn from(value: scalar::Value) -> Self {
        literal::Value::Scalar(Box::new(Scalar { value: Some(value) })).into()
    }
}

impl From<primitive::Value> for Literal {
    fn from(value: primitive::Value) -> Self {
        scalar::Value::Primitive(Primitive { value: Some(value) }).into()
    }
}

impl VariableMap {
    /// The declared type of each variable, by name.
    ///
    /// The last of equal names wins; a variable without a type has an unset type (spec §5.3).
    #[must_use]
    pub fn types(&self) -> BTreeMap<&str, LiteralType> {
        let types = self.variables.iter().map(|entry| {
            let declared = entry
                .value
                .as_ref()
                .and_then(|variable| variable.r#type.clone());
            (entry.key.as_str(), declared.unwrap_or_default())
        });
        types.collect()
    }
}
