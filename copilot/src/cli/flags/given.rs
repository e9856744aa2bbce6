//! Which flags stand on the command line: a flag that is left out has its default, and cannot be told from one that
//! is given with that value.

use std::collections::BTreeSet;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// The names of the flags that were given, without dashes. Must be the first field of a command's flags: the others
/// take their values away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct GivenFlags(BTreeSet<String>);

impl GivenFlags {
    /// Whether a flag was given. `name` is its long name, without dashes.
    pub(in crate::cli) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

impl Args for GivenFlags {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

impl FromArgMatches for GivenFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        // An empty text counts as not given, as in the reference.
        let is_text = |id: &str| {
            let values = matches.get_raw(id);
            values.is_none_or(|mut values| values.any(|value| !value.is_empty()))
        };
        let is_given = |id: &&clap::Id| {
            let source = matches.value_source(id.as_str());
            source == Some(ValueSource::CommandLine) && is_text(id.as_str())
        };
        let given = matches.ids().filter(is_given);
        // The id of a flag is the name of its field.
        self.0 = given.map(|id| id.as_str().replace('_', "-")).collect();
        Ok(())
    }
}
