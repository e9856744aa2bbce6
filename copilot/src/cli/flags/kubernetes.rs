//! Flags of the reference's Kubernetes client. The watcher `kube-api` uses them; without it they are
//! accepted without effect, as in the reference. This table is the only list of their names.

use std::collections::BTreeMap;
use std::fmt;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

use super::library::{LibraryFlag, LibraryKind, given};

/// The flags that were given.
#[derive(Clone, Default)]
pub(in crate::cli) struct KubernetesFlags {
    /// Their names without dashes, in the order of the table.
    pub names: Vec<&'static str>,
    values: BTreeMap<&'static str, Vec<String>>,
}

/// `Debug` shows only names: values may be secret.
impl fmt::Debug for KubernetesFlags {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.names.fmt(formatter)
    }
}

/// A flag of the client, and what the watcher does with it.
struct ClientFlag {
    flag: LibraryFlag,
    /// What to do instead, if the watcher refuses it.
    refused: Option<&'static str>,
}

const fn used(flag: LibraryFlag) -> ClientFlag {
    ClientFlag {
        flag,
        refused: None,
    }
}

const fn refused(flag: LibraryFlag, advice: &'static str) -> ClientFlag {
    ClientFlag {
        flag,
        refused: Some(advice),
    }
}

use LibraryKind::{Boolean, Secret, Text, Texts};

const FLAGS: &[ClientFlag] = &[
    used(LibraryFlag::new("kubeconfig", Text)),
    used(LibraryFlag::new("as", Text)),
    used(LibraryFlag::new("as-uid", Text)),
    used(LibraryFlag::new("as-group", Texts)),
    used(LibraryFlag::new("certificate-authority", Text)),
    used(LibraryFlag::new("client-certificate", Text)),
    used(LibraryFlag::new("client-key", Text)),
    used(LibraryFlag::new("cluster", Text)),
    used(LibraryFlag::new("context", Text)),
    // Our client never asks for compression, so the flag always has its way.
    used(LibraryFlag::new("disable-compression", Boolean)),
    used(LibraryFlag::new("insecure-skip-tls-verify", Boolean)),
    used(LibraryFlag::new("namespace", Text).short('n')),
    used(LibraryFlag::new("password", Secret)),
    refused(
        LibraryFlag::new("proxy-url", Secret),
        "make the API reachable without a proxy, or use another watcher",
    ),
    used(LibraryFlag::new("request-timeout", Text)),
    used(LibraryFlag::new("server", Text)),
    used(LibraryFlag::new("tls-server-name", Text)),
    used(LibraryFlag::new("token", Secret)),
    used(LibraryFlag::new("user", Text)),
    used(LibraryFlag::new("username", Text)),
];

impl KubernetesFlags {
    /// All values of a flag.
    pub(in crate::cli) fn values(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// The last value of a flag. An empty text counts as not given, as in the reference.
    pub(in crate::cli) fn text(&self, name: &str) -> Option<String> {
        let last = self.values(name).last().cloned();
        last.filter(|text| !text.is_empty())
    }

    /// The first given flag that the watcher refuses, with what to do instead.
    pub(in crate::cli) fn refused(&self) -> Option<(&'static str, &'static str)> {
        FLAGS.iter().find_map(|known| {
            let name = known.flag.name;
            let advice = known.refused?;
            self.text(name).map(|_| (name, advice))
        })
    }
}

/// Whether no message may show the value of the flag `name`.
pub(super) fn is_secret(name: &str) -> bool {
    let mut flags = FLAGS.iter().map(|known| &known.flag);
    flags.any(|flag| flag.name == name && flag.is_secret())
}

impl Args for KubernetesFlags {
    fn augment_args(command: Command) -> Command {
        let argument = |known: &ClientFlag| {
            let argument = known.flag.argument();
            argument.help("used by the watcher kube-api; else accepted without effect")
        };
        command.args(FLAGS.iter().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for KubernetesFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        (self.names, self.values) = given(FLAGS.iter().map(|known| &known.flag), matches);
        Ok(())
    }
}
