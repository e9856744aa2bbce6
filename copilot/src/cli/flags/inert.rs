//! Flags of the reference that come from libraries it links (Kubernetes' client, its logger) or
//! that it never reads (spec §1.4). They are accepted and their values checked, so that no command
//! line that worked there fails here; what was given is listed in one warning. Those of Kubernetes'
//! client have their effect with the watcher `kube-api`, hence their values are kept.

use std::collections::BTreeMap;
use std::fmt;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use crate::config;

/// The flags that were given, by name without dashes.
#[derive(Clone, Default)]
pub(in crate::cli) struct InertFlags {
    /// All of them.
    pub names: Vec<&'static str>,
    /// The values of those that take a text or a truth value.
    pub values: BTreeMap<&'static str, Vec<String>>,
}

/// Values may be secret.
impl fmt::Debug for InertFlags {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.names.fmt(formatter)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Secret,
    Texts,
    Boolean,
    Integer,
    Severity,
}

struct Flag {
    name: &'static str,
    short: Option<char>,
    kind: Kind,
}

const fn flag(name: &'static str, kind: Kind) -> Flag {
    Flag {
        name,
        short: None,
        kind,
    }
}

const fn short(name: &'static str, short: char, kind: Kind) -> Flag {
    Flag {
        name,
        short: Some(short),
        kind,
    }
}

use Kind::{Boolean, Integer, Secret, Severity, Text, Texts};

const FLAGS: &[Flag] = &[
    short("show-source", 's', Boolean),
    // Kubernetes' client.
    flag("kubeconfig", Text),
    flag("as", Text),
    flag("as-uid", Text),
    flag("as-group", Texts),
    flag("certificate-authority", Text),
    flag("client-certificate", Text),
    flag("client-key", Text),
    flag("cluster", Text),
    flag("context", Text),
    flag("disable-compression", Boolean),
    flag("insecure-skip-tls-verify", Boolean),
    short("namespace", 'n', Text),
    flag("password", Secret),
    flag("proxy-url", Secret),
    flag("request-timeout", Text),
    flag("server", Text),
    flag("tls-server-name", Text),
    flag("token", Secret),
    flag("user", Text),
    flag("username", Text),
    // Kubernetes' logger.
    flag("add_dir_header", Boolean),
    flag("alsologtostderr", Boolean),
    flag("log_backtrace_at", Text),
    flag("log_dir", Text),
    flag("log_file", Text),
    flag("log_file_max_size", Integer),
    flag("logtostderr", Boolean),
    flag("one_output", Boolean),
    flag("skip_headers", Boolean),
    flag("skip_log_headers", Boolean),
    flag("stderrthreshold", Severity),
    short("v", 'v', Integer),
    flag("vmodule", Text),
];

/// Whether the value of the flag called `name` must not be shown.
pub(super) fn is_secret(name: &str) -> bool {
    FLAGS
        .iter()
        .any(|flag| flag.name == name && matches!(flag.kind, Secret))
}

impl Args for InertFlags {
    fn augment_args(command: Command) -> Command {
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
        for flag in FLAGS.iter().filter(|flag| matches.contains_id(flag.name)) {
            self.names.push(flag.name);
            let values: Vec<String> = match flag.kind {
                Text | Secret | Texts => matches
                    .get_many::<String>(flag.name)
                    .map_or_else(Vec::new, |values| values.cloned().collect()),
                Boolean => matches
                    .get_one::<bool>(flag.name)
                    .map(bool::to_string)
                    .into_iter()
                    .collect(),
                Integer | Severity => continue,
            };
            self.values.insert(flag.name, values);
        }
        Ok(())
    }
}

fn argument(flag: &'static Flag) -> Arg {
    let argument = Arg::new(flag.name)
        .long(flag.name)
        .help("accepted, without effect")
        .hide(true)
        .action(ArgAction::Set);
    let argument = match flag.short {
        Some(short) => argument.short(short),
        None => argument,
    };
    match flag.kind {
        Boolean => argument
            .value_parser(config::boolean)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        Integer => argument.value_parser(config::integer),
        Severity => argument.value_parser(severity),
        Texts => argument.action(ArgAction::Append),
        Text | Secret => argument,
    }
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
