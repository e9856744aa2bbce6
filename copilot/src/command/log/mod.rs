//! The log on standard error, with the level and form of the reference's settings (spec §1.4). On a terminal it is
//! text. No value is shown as Rust shows it for debugging.

mod fields;
mod json;
mod terminal;
mod text;

use std::io::{self, IsTerminal as _};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt as _;

pub(super) use self::json::timestamp;
use self::json::{JsonLines, KeyNames};
pub(super) use self::terminal::display;
use self::text::TextLines;
use crate::config::{LogFormat, LogLevel, LoggerSettings};
use crate::report::EscapeForm;

/// Sets up the log for the rest of the process. A second call changes nothing.
pub(super) fn set_up(settings: &LoggerSettings) {
    let level = if settings.mute {
        LevelFilter::OFF
    } else {
        filter(settings.level)
    };
    let format = match settings.format {
        LogFormat::Auto if io::stderr().is_terminal() => LogFormat::Text,
        LogFormat::Auto => LogFormat::Json,
        chosen => chosen,
    };
    let form = match format {
        LogFormat::Text => EscapeForm::Plain,
        _ => EscapeForm::Json,
    };
    let builder = fmt()
        .with_writer(move || terminal::stderr(form))
        .with_max_level(level)
        // Else a closed standard error makes it complain there, and panic.
        .log_internal_errors(false);
    // It fails only if the log is set up already.
    let _ = match format {
        LogFormat::Text => builder
            .event_format(TextLines {
                show_source: settings.show_source,
            })
            .finish()
            .try_init(),
        LogFormat::Auto | LogFormat::Json => builder
            .event_format(JsonLines::new(KeyNames::REFERENCE, settings.show_source))
            .finish()
            .try_init(),
        LogFormat::Gcp => builder
            .event_format(JsonLines::new(KeyNames::GCP, settings.show_source))
            .finish()
            .try_init(),
    };
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        // At any level, the failure itself is the last line.
        LogLevel::Panic | LogLevel::Fatal => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    }
}
