//! What the environment says about the export of spans: the variables of the OpenTelemetry specification
//! ("OTLP Exporter Configuration", "Environment Variable Specification"). An empty variable counts as absent there, too.

use std::time::Duration;

use http::Uri;
use thiserror::Error;

use crate::config::secret::known;
use crate::store::Environment;

/// The path of a collector that takes spans, beneath an endpoint for all signals.
const PATH: &str = "v1/traces";

/// How long an export may take, if no variable says so (specification: 10 s).
const TIMEOUT: Duration = Duration::from_secs(10);

/// The protocol that is spoken here.
const PROTOCOL: &str = "http/protobuf";

/// Where spans go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The variable that names the collector.
    pub variable: &'static str,
    /// The address that takes spans.
    pub endpoint: Uri,
    /// The longest time for an export.
    pub timeout: Duration,
    /// A file of further certificate authorities, in PEM, or an empty string.
    pub ca_file: String,
}

/// A variable whose value cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{variable} is {value:?}: {rule}")]
pub struct SettingError {
    /// The variable.
    pub variable: &'static str,
    /// Its value, without secrets.
    pub value: String,
    /// What is wrong, and what to do.
    pub rule: String,
}

impl Target {
    /// The collector that the environment names; none if it names none, or switches spans off.
    ///
    /// # Errors
    /// A variable whose value cannot be used.
    pub fn read(environment: &Environment) -> Result<Option<Self>, SettingError> {
        if is_off(environment) {
            return Ok(None);
        }
        let Some((variable, endpoint)) = first(environment, ENDPOINT) else {
            return Ok(None);
        };
        if let Some((_, headers)) = first(environment, HEADERS) {
            remember(headers);
        }
        check_protocol(environment)?;
        let endpoint = match variable {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => address(
                variable,
                &format!("{}/{PATH}", endpoint.trim_end_matches('/')),
            )?,
            _ => address(variable, endpoint)?,
        };
        Ok(Some(Self {
            variable,
            endpoint,
            timeout: timeout(environment)?,
            ca_file: first(environment, CERTIFICATE)
                .map_or_else(String::new, |(_, file)| file.to_owned()),
        }))
    }
}

/// The variables of one setting: for spans alone, then for all signals.
type Names = [&'static str; 2];

const ENDPOINT: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
const HEADERS: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_HEADERS",
];
const PROTOCOLS: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const TIMEOUTS: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
];
const CERTIFICATE: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
];

/// The first of these variables that is set, and its value.
fn first(environment: &Environment, names: Names) -> Option<(&'static str, &str)> {
    let mut found = names
        .into_iter()
        .filter_map(|name| Some((name, environment.get(name)?.trim())));
    found.find(|(_, value)| !value.is_empty())
}

/// Whether the environment switches the export off.
fn is_off(environment: &Environment) -> bool {
    let is_disabled = environment
        .get("OTEL_SDK_DISABLED")
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    let goes_elsewhere = environment
        .get("OTEL_TRACES_EXPORTER")
        .is_some_and(|list| !list.split(',').any(|name| name.trim() == "otlp"));
    is_disabled || goes_elsewhere
}

/// Headers carry keys. A server that repeats one in its error must not bring it into the log.
fn remember(headers: &str) {
    for pair in headers.split(',') {
        let value = pair.split_once('=').map_or(pair, |(_, value)| value).trim();
        known::remember(value);
        let decoded = percent_encoding::percent_decode_str(value);
        known::remember(&decoded.decode_utf8_lossy());
    }
}

fn check_protocol(environment: &Environment) -> Result<(), SettingError> {
    match first(environment, PROTOCOLS) {
        Some((variable, value)) if value != PROTOCOL => Err(SettingError {
            variable,
            value: value.to_owned(),
            rule: format!(
                "copilot speaks {PROTOCOL} only; set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL={PROTOCOL}, and \
                 OTEL_EXPORTER_OTLP_TRACES_ENDPOINT to the collector's address for it (port 4318)"
            ),
        }),
        _ => Ok(()),
    }
}

fn address(variable: &'static str, value: &str) -> Result<Uri, SettingError> {
    let wrong = |rule: &str| SettingError {
        variable,
        value: without_user(value),
        rule: format!("{rule}; write for example http://collector:4318"),
    };
    let uri: Uri = value
        .parse()
        .map_err(|error| wrong(&format!("it is not an address ({error})")))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.host().is_some_and(|host| !host.is_empty()) => Ok(uri),
        _ => Err(wrong(
            "it does not begin with http:// or https://, and a host",
        )),
    }
}

/// An address without user name and password.
fn without_user(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            let shown = host
                .rsplit_once('@')
                .map_or(rest, |(user, _)| &rest[user.len() + 1..]);
            format!("{scheme}://{shown}")
        }
        None => address.to_owned(),
    }
}

fn timeout(environment: &Environment) -> Result<Duration, SettingError> {
    let Some((variable, value)) = first(environment, TIMEOUTS) else {
        return Ok(TIMEOUT);
    };
    match value.parse() {
        Ok(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        Err(_) => Err(SettingError {
            variable,
            value: value.to_owned(),
            rule: "it is not a whole number of milliseconds; write for example 2000".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<Target>, SettingError> {
        let pairs = pairs.iter();
        let environment: Environment = pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Target::read(&environment)
    }

    const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const SPANS: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    #[test]
    fn an_endpoint_for_all_signals_gets_the_path_and_one_for_spans_does_not() {
        for (pairs, endpoint) in [
            (&[(ALL, "http://c:4318")][..], "http://c:4318/v1/traces"),
            (&[(ALL, "http://c:4318/")], "http://c:4318/v1/traces"),
            (&[(ALL, "https://c/otlp")], "https://c/otlp/v1/traces"),
            (&[(SPANS, "http://c/spans")], "http://c/spans"),
            (&[(SPANS, " http://c "), (ALL, "http://d")], "http://c/"),
            (&[(SPANS, ""), (ALL, "http://d")], "http://d/v1/traces"),
        ] {
            let target = read(pairs).unwrap().unwrap();
            assert_eq!(target.endpoint.to_string(), endpoint, "{pairs:?}");
            assert_eq!(target.timeout, Duration::from_secs(10));
        }
    }

    #[test]
    fn without_an_endpoint_or_switched_off_nothing_is_sent() {
        for more in [
            None,
            Some(("OTEL_SDK_DISABLED", "TRUE")),
            Some(("OTEL_TRACES_EXPORTER", "none")),
            Some(("OTEL_TRACES_EXPORTER", "console")),
        ] {
            let pairs: Vec<_> = more
                .into_iter()
                .flat_map(|pair| [pair, (ALL, "http://c")])
                .collect();
            assert_eq!(read(&pairs), Ok(None), "{pairs:?}");
        }
        let pairs = [(ALL, "http://c"), ("OTEL_TRACES_EXPORTER", "console, otlp")];
        assert!(read(&pairs).unwrap().is_some());
        let pairs = [(ALL, "http://c"), ("OTEL_SDK_DISABLED", "no")];
        assert!(read(&pairs).unwrap().is_some());
    }

    #[test]
    fn a_limit_and_authorities() {
        let target = read(&[
            (ALL, "https://c"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "500"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
        ]);
        let target = target.unwrap().unwrap();
        assert_eq!(target.timeout, Duration::from_millis(500));
        assert_eq!(target.ca_file, "/ca.pem");
    }

    #[test]
    fn a_value_that_cannot_be_used_is_named_with_the_rule() {
        for (name, value, words) in [
            (ALL, "collector:4318", "http://collector:4318"),
            (ALL, "ftp://c", "does not begin with http://"),
            (ALL, "http://me:hunter2@c d", "http://c d"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "port 4318"),
            (
                "OTEL_EXPORTER_OTLP_PROTOCOL",
                "http/json",
                "http/protobuf only",
            ),
        ] {
            let mut pairs = vec![(name, value)];
            if name != ALL {
                pairs.push((ALL, "http://c"));
            }
            let error = read(&pairs).unwrap_err();
            let message = error.to_string();
            assert_eq!(error.variable, name, "{message}");
            assert!(message.contains(words), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn values_of_headers_are_secrets() {
        let headers = "x-team=s3cr3t%2Dteamkey,api-key=another-long-key";
        let pairs = [(ALL, "http://c"), ("OTEL_EXPORTER_OTLP_HEADERS", headers)];
        read(&pairs).unwrap();
        let shown = known::hide("you sent s3cr3t-teamkey and another-long-key", &[]);
        assert!(
            !shown.contains("teamkey") && !shown.contains("another"),
            "{shown}"
        );
    }
}
