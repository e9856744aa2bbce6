//! The table of settings: each name in the spelling of the reference's flag (spec §1.4), the kind of its
//! value, and its default. `cli` makes flags from this table; environment variables and the keys of files
//! have the same names in another case.
//!
//! The section `copilot` is ours: `copilot.NAME` is our own flag `--NAME`. What it takes, its default and its help
//! stand where `cli` defines that flag; the table only says that files and variables may set it.

/// What kind of value a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Any text.
    Text,
    /// A boolean ([`super::boolean`]).
    Boolean,
    /// A whole number ([`super::integer`]).
    Integer,
    /// A level of the log: a number, or the name of one.
    Level,
    /// A Go duration, carried as text.
    Duration,
    /// Texts; as one text a list with commas.
    Texts,
    /// A map of texts; as a flag a `key=value` list ([`super::parse_pairs`]).
    Pairs,
    /// A map of texts or lists of texts; only in files.
    Headers,
    /// `storage.schemes`; only in files.
    Schemes,
    /// A part of a file that is known but has no effect here.
    Opaque,
}

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The dotted name in the reference's spelling. Files and environment ignore its case.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: KeyKind,
    /// The default, as flag text; none if an absent value has a meaning of its own.
    pub default: Option<&'static str>,
    /// Whether a flag exists: `--name`, or without the section's name for a key of the section `copilot`.
    pub flag: bool,
    /// Whether it has an effect here. A setting without effect is accepted, with a warning.
    pub effect: bool,
    /// Whether its value must stay hidden.
    pub secret: bool,
    /// One line for `--help`.
    pub help: &'static str,
}

impl Key {
    const fn new(
        name: &'static str,
        kind: KeyKind,
        default: Option<&'static str>,
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            default,
            flag: true,
            effect: true,
            secret: false,
            help,
        }
    }

    /// A key that is accepted only because the reference has it.
    const fn inert(name: &'static str, kind: KeyKind) -> Self {
        let mut key = Self::new(name, kind, None, "accepted without effect");
        key.effect = false;
        key
    }

    /// A flag of ours that is a setting.
    const fn own(name: &'static str, kind: KeyKind) -> Self {
        Self::new(name, kind, None, "")
    }

    const fn file_only(mut self) -> Self {
        self.flag = false;
        self
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The key called `name`, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name.eq_ignore_ascii_case(name))
    }

    /// The name of our own flag that this is, without dashes; none for a setting of the reference.
    #[must_use]
    pub fn own_flag(&self) -> Option<&'static str> {
        self.name.strip_prefix(OWN)
    }

    /// Our own flags that are settings, in the order of the table.
    pub fn all_own() -> impl Iterator<Item = &'static Self> {
        KEYS.iter().filter(|key| key.own_flag().is_some())
    }

    /// The setting that the flag `--flag` of ours is, if it is one.
    #[must_use]
    pub fn of_own_flag(flag: &str) -> Option<&'static Self> {
        Self::all_own().find(|key| key.own_flag() == Some(flag))
    }

    /// The key or section nearest to an unknown `path`, in the same section; none if none is near.
    pub(super) fn nearest(path: &str) -> Option<String> {
        /// Short names with one letter swapped or missing score higher than this.
        const NEAR: f64 = 0.8;
        let path = path.to_ascii_lowercase();
        let (section, name) = path.rsplit_once('.').unwrap_or(("", &path));
        let beneath = KEYS.iter().filter_map(|key| {
            let begin = section.len() + usize::from(!section.is_empty());
            let is_here = section.is_empty() || Self::is_beneath(key.name, section);
            let rest = is_here.then(|| &key.name[begin..])?;
            let length = rest.find('.').unwrap_or(rest.len());
            let likeness = strsim::jaro_winkler(name, &rest[..length].to_ascii_lowercase());
            Some((likeness, &key.name[..begin + length]))
        });
        beneath
            .filter(|(likeness, _)| *likeness >= NEAR)
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
            .map(|(_, name)| name.to_owned())
    }

    /// Whether `name` is a prefix of keys, in any case.
    #[must_use]
    pub fn is_section(name: &str) -> bool {
        KEYS.iter().any(|key| Self::is_beneath(key.name, name))
    }

    fn is_beneath(name: &str, section: &str) -> bool {
        name.len() > section.len()
            && name.as_bytes()[section.len()] == b'.'
            && name.as_bytes()[..section.len()].eq_ignore_ascii_case(section.as_bytes())
    }
}

/// The section of our own settings, with the dot behind it.
const OWN: &str = "copilot.";

use KeyKind::{Boolean, Duration, Headers, Integer, Level, Opaque, Pairs, Schemes, Text, Texts};

/// Every setting of the sections `storage`, `logger`, `otel` and `copilot`.
pub const KEYS: &[Key] = &[
    Key::new(
        "storage.type",
        Text,
        Some("stow"),
        "stow (storage.stow.kind names the kind), or mem; s3, minio and local are older names",
    ),
    Key::new(
        "storage.stow.kind",
        Text,
        Some("s3"),
        "the backend: s3, google, azure or local",
    ),
    Key::new(
        "storage.stow.config",
        Pairs,
        Some("region=us-east-1"),
        "a key=value pair for the backend; may be repeated",
    )
    .secret(),
    Key::new("storage.container", Text, Some(""), "the base bucket"),
    Key::new(
        "storage.enable-multicontainer",
        Boolean,
        Some("false"),
        "allow buckets other than the base bucket",
    ),
    Key::new(
        "storage.limits.maxDownloadMBs",
        Integer,
        Some("2"),
        "largest object to read from a store, in MiB; 0 = no limit",
    ),
    Key::new(
        "storage.connection.endpoint",
        Text,
        None,
        "older name of the stow key endpoint",
    ),
    Key::new(
        "storage.connection.auth-type",
        Text,
        None,
        "older name of the stow key auth_type",
    ),
    Key::new(
        "storage.connection.access-key",
        Text,
        None,
        "older name of the stow key access_key_id",
    )
    .secret(),
    Key::new(
        "storage.connection.secret-key",
        Text,
        None,
        "older name of the stow key secret_key",
    )
    .secret(),
    Key::new(
        "storage.connection.region",
        Text,
        None,
        "older name of the stow key region",
    ),
    Key::new(
        "storage.connection.disable-ssl",
        Boolean,
        None,
        "older name of the stow key disable_ssl",
    ),
    Key::new(
        "storage.single-store",
        Boolean,
        Some("false"),
        "use one store for references of every scheme, as older platforms do",
    ),
    Key::new(
        "storage.s3.sign-payload",
        Text,
        Some("auto"),
        "sign the payload of S3 requests: auto (only without TLS), always or never",
    ),
    Key::new(
        "storage.s3.upload-checksum",
        Text,
        Some("none"),
        "checksum that S3 verifies on uploads: none, sha256 or crc64nvme",
    ),
    Key::new("storage.schemes", Schemes, None, "").file_only(),
    Key::new(
        "storage.defaultHttpClient.caFile",
        Text,
        Some(""),
        "file of PEM certificates to trust in addition to the system's",
    ),
    Key::new("storage.defaultHttpClient.headers", Headers, None, "").file_only(),
    Key::inert("storage.cache.max_size_mbs", Integer),
    Key::inert("storage.cache.target_gc_percent", Integer),
    Key::inert("storage.defaultHttpClient.timeout", Duration),
    Key::inert("storage.defaultHttpClient.maxIdleConns", Integer),
    Key::inert("storage.defaultHttpClient.maxIdleConnsPerHost", Integer),
    Key::inert("storage.defaultHttpClient.maxConnsPerHost", Integer),
    Key::inert("storage.defaultHttpClient.idleConnTimeout", Duration),
    Key::inert("storage.redis", Opaque).file_only(),
    Key::inert("storage.signedUrl", Opaque).file_only(),
    Key::new(
        "logger.level",
        Level,
        Some("4"),
        "0 panic, 1 fatal, 2 error, 3 warn, 4 info or 5 debug: the number or the name",
    ),
    Key::new(
        "logger.show-source",
        Boolean,
        Some("false"),
        "add the source file and line to each message",
    ),
    Key::new("logger.mute", Boolean, Some("false"), "write no log"),
    Key::new(
        "logger.formatter.type",
        Text,
        Some("auto"),
        "text, json, gcp, or auto (text on a terminal, else json)",
    ),
    Key::inert("otel.type", Text),
    Key::inert("otel.file.filename", Text),
    Key::inert("otel.jaeger.endpoint", Text),
    Key::inert("otel.otlpgrpc.endpoint", Text),
    Key::inert("otel.otlphttp.endpoint", Text),
    Key::inert("otel.sampler.parentSampler", Text),
    Key::inert("otel.sampler.traceIdRatio", Opaque).file_only(),
    // Of every command, or of both jobs.
    Key::own("copilot.err-output-name", Text),
    Key::own("copilot.exit-code", Text),
    Key::own("copilot.strict", Boolean),
    Key::own("copilot.termination-log", Text),
    Key::own("copilot.max-memory", Text),
    Key::own("copilot.max-connections", Text),
    Key::own("copilot.timeline", Text),
    // Of the download.
    Key::own("copilot.download-mode", Text),
    Key::own("copilot.file-input-layout", Text),
    Key::own("copilot.volume-size-limit", Text),
    Key::own("copilot.binary-inputs", Text),
    // Of the sidecar.
    Key::own("copilot.upload-mode", Text),
    Key::own("copilot.watcher", Texts),
    Key::own("copilot.main-container", Text),
    Key::own("copilot.ignore-container", Texts),
    Key::own("copilot.pod-cgroup", Text),
    Key::own("copilot.proc-root", Text),
    Key::own("copilot.poll-fast", Text),
    Key::own("copilot.poll-slow", Text),
    Key::own("copilot.main-start-timeout", Text),
    Key::own("copilot.term-wait", Text),
    Key::own("copilot.settle", Text),
    Key::own("copilot.on-main-failure", Text),
    Key::own("copilot.max-simple-size", Text),
    Key::own("copilot.blob-names", Text),
    Key::own("copilot.struct-outputs", Text),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_sections_are_their_prefixes() {
        let key = Key::find("STORAGE.LIMITS.MAXDOWNLOADMBS").unwrap();
        assert_eq!(key.name, "storage.limits.maxDownloadMBs");
        assert!(Key::find("storage.limits").is_none());
        for section in [
            "storage",
            "Storage.Stow",
            "logger.formatter",
            "otel",
            "copilot",
        ] {
            assert!(Key::is_section(section), "{section}");
        }
        for other in ["stor", "storage.", "storage.type", "storage.type.x", "stow"] {
            assert!(!Key::is_section(other), "{other}");
        }
    }

    #[test]
    fn the_nearest_key_is_of_the_same_section() {
        for (path, nearest) in [
            ("storage.kontainer", Some("storage.container")),
            ("storage.stow.kinds", Some("storage.stow.kind")),
            ("storge", Some("storage")),
            ("Copilot.Watchers", Some("copilot.watcher")),
            ("copilot.pollfast", Some("copilot.poll-fast")),
            ("storage.limit", Some("storage.limits")),
            ("plugins", None),
            ("copilot.to-output-prefix", None),
            ("nothing.watcher", None),
        ] {
            assert_eq!(Key::nearest(path).as_deref(), nearest, "{path}");
        }
    }

    #[test]
    fn every_default_is_a_value_of_its_kind() {
        for key in KEYS {
            if let Some(default) = key.default {
                assert!(
                    super::super::SettingValue::read(key.kind, default).is_ok(),
                    "{}",
                    key.name
                );
            }
        }
    }
}
