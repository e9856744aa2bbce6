//! Flags of the reference that come from the libraries it links: a table of names becomes `clap`
//! arguments. [`super::kubernetes`] and [`super::inert`] each hold such a table.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches};

use crate::config;

/// What a flag of a library takes.
#[derive(Clone, Copy)]
pub(super) enum LibraryKind {
    /// A text.
    Text,
    /// A text that no message may show.
    Secret,
    /// A text; the flag may be repeated.
    Texts,
    /// A truth value, `true` if it is left out.
    Boolean,
    /// A whole number.
    Integer,
    /// A severity of Kubernetes' logger.
    Severity,
}

/// A flag of a library.
pub(super) struct LibraryFlag {
    /// Its name, without dashes.
    pub(super) name: &'static str,
    /// Its short form.
    pub(super) short: Option<char>,
    /// What it takes.
    pub(super) kind: LibraryKind,
}

impl LibraryFlag {
    pub(super) const fn new(name: &'static str, kind: LibraryKind) -> Self {
        Self {
            name,
            short: None,
            kind,
        }
    }

    pub(super) const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    /// Whether no message may show its value.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.kind, LibraryKind::Secret)
    }

    /// The `clap` argument, hidden from help.
    pub(super) fn argument(&self) -> Arg {
        let argument = Arg::new(self.name)
            .long(self.name)
            .hide(true)
            .action(ArgAction::Set);
        let argument = match self.short {
            Some(short) => argument.short(short),
            None => argument,
        };
        match self.kind {
            LibraryKind::Boolean => argument
                .value_parser(config::boolean)
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
            LibraryKind::Integer => argument.value_parser(config::integer),
            LibraryKind::Severity => argument.value_parser(severity),
            LibraryKind::Texts => argument.action(ArgAction::Append),
            LibraryKind::Text | LibraryKind::Secret => argument,
        }
    }

    /// The values that were given; empty for kinds whose values are never read.
    fn values(&self, matches: &ArgMatches) -> Vec<String> {
        match self.kind {
            LibraryKind::Text | LibraryKind::Secret | LibraryKind::Texts => matches
                .get_many::<String>(self.name)
                .map_or_else(Vec::new, |values| values.cloned().collect()),
            LibraryKind::Boolean => matches
                .get_one::<bool>(self.name)
                .map(bool::to_string)
                .into_iter()
                .collect(),
            LibraryKind::Integer | LibraryKind::Severity => Vec::new(),
        }
    }
}

/// The flags of a table that were given, by name, in the order of the table.
pub(super) fn given<'t>(
    table: impl Iterator<Item = &'t LibraryFlag>,
    matches: &ArgMatches,
) -> (Vec<&'static str>, BTreeMap<&'static str, Vec<String>>) {
    let given = table.filter(|flag| matches.contains_id(flag.name));
    given
        .map(|flag| (flag.name, (flag.name, flag.values(matches))))
        .unzip()
}

/// A severity of Kubernetes' logger: a name in any case, or its number.
fn severity(text: &str) -> Result<(), &'static str> {
    let name = text.to_ascii_uppercase();
    let known = ["INFO", "WARNING", "ERROR", "FATAL"].contains(&name.as_str());
    if known || config::integer(text).is_ok() {
        Ok(())
    } else {
        Err("a severity is INFO, WARNING, ERROR, FATAL or a number")
    }
}
