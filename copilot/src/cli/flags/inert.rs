//! Flags of the reference that have no effect here: those of its logging library, and those that the
//! reference itself never reads (spec §1.4). They are accepted and their values checked, so a command
//! line that works there works here. One log line lists those that were given.

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

use super::library::{LibraryFlag, LibraryKind, given};

/// The flags that were given, by name without dashes.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct InertFlags {
    /// In the order of the table.
    pub names: Vec<&'static str>,
}

use LibraryKind::{Boolean, Integer, Severity, Text};

const FLAGS: &[LibraryFlag] = &[
    LibraryFlag::new("show-source", Boolean).short('s'),
    // Kubernetes' logger.
    LibraryFlag::new("add_dir_header", Boolean),
    LibraryFlag::new("alsologtostderr", Boolean),
    LibraryFlag::new("log_backtrace_at", Text),
    LibraryFlag::new("log_dir", Text),
    LibraryFlag::new("log_file", Text),
    LibraryFlag::new("log_file_max_size", Integer),
    LibraryFlag::new("logtostderr", Boolean),
    LibraryFlag::new("one_output", Boolean),
    LibraryFlag::new("skip_headers", Boolean),
    LibraryFlag::new("skip_log_headers", Boolean),
    LibraryFlag::new("stderrthreshold", Severity),
    LibraryFlag::new("v", Integer).short('v'),
    LibraryFlag::new("vmodule", Text),
];

impl Args for InertFlags {
    fn augment_args(command: Command) -> Command {
        let argument = |flag: &LibraryFlag| flag.argument().help("accepted without effect");
        command.args(FLAGS.iter().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for InertFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        (self.names, _) = given(FLAGS.iter(), matches);
        Ok(())
    }
}
