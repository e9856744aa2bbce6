//! Inputs as a person gives them: `x=3`, `data=@table.csv`, `dir=@folder/`, `name:string=7`. The value shows the
//! type, unless the person or an interface names it.
//!
//! [`Given`] is one argument; [`Inputs`] are all of them, and the document beneath them; `local` turns paths of
//! this machine into references. Never here: copying data. Callers: `cli`, the command `make`, `trial`.

mod error;
mod inputs;
mod local;

pub use error::GivenError;
pub use inputs::Inputs;

use super::type_parser::parse_type;
use crate::idl::LiteralType;

/// One argument: a name, and a type, a value, or both.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The variable.
    pub name: String,
    /// Its type, if it is named.
    pub declared: Option<LiteralType>,
    /// The text of its value, if there is one.
    pub value: Option<String>,
}

impl Given {
    /// Reads an argument.
    ///
    /// # Errors
    /// It has no name, a wrong type, or neither a type nor a value.
    pub fn parse(text: &str) -> Result<Self, GivenError> {
        let shortened = || text.chars().take(80).collect::<String>();
        let end = text.find([':', '=']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if name.is_empty() {
            return Err(GivenError::NoName(shortened()));
        }
        let (words, value) = match rest.strip_prefix(':') {
            Some(rest) => match end_of_type(rest) {
                Some(at) => (Some(&rest[..at]), Some(&rest[at + 1..])),
                None => (Some(rest), None),
            },
            None => (None, rest.strip_prefix('=')),
        };
        if words.is_none() && value.is_none() {
            return Err(GivenError::NameOnly(shortened()));
        }
        let declared = words.map(parse_type).transpose();
        Ok(Self {
            name: name.to_owned(),
            declared: declared.map_err(|cause| GivenError::Type {
                name: name.to_owned(),
                cause,
            })?,
            value: value.map(str::to_owned),
        })
    }
}

/// Where the `=` after a type stands: the first one outside brackets and quotes.
fn end_of_type(text: &str) -> Option<usize> {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    text.char_indices().find_map(|(at, sign)| {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            '=' if depth == 0 => return Some(at),
            _ => {}
        }
        None
    })
}
