//! The options of this bench.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::builder::PossibleValuesParser;
use clap::value_parser;

use super::contender::{BARE, OURS, RCLONE, RCLONE_64, S5CMD};
use super::distance::Distance;
use super::shape::{LARGE, MEDIUM, SHAPES, SMALL, Shape};
use crate::emulator;

/// What to measure.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Rounds after the warm-up
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Only these files; may be given more than once
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new([LARGE, MEDIUM, SMALL]))]
    shape: Vec<String>,
    /// Only this program; may be given more than once
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new([OURS, BARE, S5CMD, RCLONE, RCLONE_64]))]
    pub only: Vec<String>,
    /// Only without limits
    #[arg(long)]
    free: bool,
    /// Only with the sidecar's limits: half a CPU, 128 MiB
    #[arg(long)]
    limited: bool,
    /// Copilot and bare leave payloads unsigned, as over TLS; the other tools sign them on plain HTTP
    #[arg(long)]
    pub unsigned: bool,
    /// The round trip to the store, such as 20ms
    #[arg(long, value_name = "TIME", value_parser = Distance::parse_round_trip)]
    rtt: Option<Duration>,
    /// MiB a second in one direction of a connection
    #[arg(long, value_name = "MIB", value_parser = value_parser!(u64).range(1..=1_000_000))]
    bandwidth: Option<u64>,
    /// All programs speak TLS
    #[arg(long)]
    tls: bool,
    /// A missing tool is a failure, as it is with CI=true
    #[arg(long, value_parser = ["required"])]
    peers: Option<String>,
    /// The path of a program, instead of searching it on PATH; may be given more than once
    #[arg(long, value_name = "NAME=PATH", value_parser = named_program)]
    program: Vec<(String, PathBuf)>,
}

impl Options {
    /// Whether to measure without limits (`false`), with limits (`true`), or both.
    pub fn limits(&self) -> impl Iterator<Item = bool> {
        let both = self.free == self.limited;
        let chosen = [(false, self.free), (true, self.limited)];
        chosen
            .into_iter()
            .filter(move |(_, is_asked)| both || *is_asked)
            .map(|(limited, _)| limited)
    }

    /// Whether a machine that cannot set limits is a failure.
    #[must_use]
    pub fn are_limits_required(&self) -> bool {
        self.limited || in_ci()
    }

    /// The shapes to measure.
    pub fn shapes(&self) -> impl Iterator<Item = Shape> {
        let wanted = |shape: &Shape| {
            self.shape.is_empty() || self.shape.iter().any(|name| name == shape.name)
        };
        SHAPES.into_iter().filter(wanted)
    }

    /// What lies between the programs and the store.
    #[must_use]
    pub fn distance(&self) -> Distance {
        Distance {
            round_trip: self.rtt.unwrap_or_default(),
            bandwidth: self.bandwidth.map(|mebibytes| mebibytes << 20),
            tls: self.tls,
        }
    }

    /// Whether a missing tool is a failure.
    #[must_use]
    pub fn are_peers_required(&self) -> bool {
        self.peers.is_some() || in_ci()
    }

    /// The path of a program: from the options, from PATH, or from the folder that setup installs into.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let named = self.program.iter().find(|(known, _)| known == name);
        if let Some((_, path)) = named {
            return Some(path.clone());
        }
        emulator::find(name)
    }
}

fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

fn named_program(text: &str) -> Result<(String, PathBuf)> {
    let (name, path) = text.split_once('=').context("write NAME=PATH")?;
    let known = [BARE, S5CMD, RCLONE];
    ensure!(
        known.contains(&name),
        "no program {name}; there are {}",
        known.join(", ")
    );
    Ok((name.to_owned(), path.into()))
}
