//! The options on the command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::relay::Distance;
use super::shape::{SHAPES, Shape};
use crate::emulator;

/// The options.
#[derive(Debug)]
pub struct Options {
    /// Rounds after the warm-up.
    pub rounds: usize,
    /// Names of shapes; empty for all.
    pub shapes: Vec<String>,
    /// Whether to measure without limits (`false`), with limits (`true`), or both.
    pub limits: Vec<bool>,
    /// Names of programs; empty for all.
    pub only: Vec<String>,
    /// Whether Copilot and `bare` leave payloads unsigned, as over TLS. The other tools sign them on plain
    /// HTTP.
    pub unsigned: bool,
    /// What lies between the programs and the store.
    pub distance: Distance,
    /// The file for all figures, as JSON.
    pub json: Option<PathBuf>,
    /// Whether a missing tool is a failure.
    pub peers_required: bool,
    /// Paths of programs that are not to be searched for on PATH, by name.
    pub programs: Vec<(String, PathBuf)>,
}

/// The help text.
const USAGE: &str = "--rounds N, --shape NAME, --only CONTENDER, --free, --limited, --unsigned, --rtt TIME (20ms), \
                     --bandwidth MIB (a second and connection), --tls, --json FILE, --peers required, \
                     --program NAME=PATH (bare, s5cmd, rclone)";

impl Options {
    /// Parses the arguments.
    pub fn parse(arguments: &[&str]) -> Result<Self> {
        let mut options = Self {
            rounds: 5,
            shapes: Vec::new(),
            limits: Vec::new(),
            only: Vec::new(),
            unsigned: false,
            distance: Distance::default(),
            json: None,
            peers_required: std::env::var("CI").is_ok_and(|ci| ci == "true"),
            programs: Vec::new(),
        };
        let mut arguments = arguments.iter().copied();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .with_context(|| format!("{argument} needs a value"))
            };
            match argument {
                "--rounds" => options.rounds = value()?.parse().context("--rounds")?,
                "--shape" => options.shapes.push(value()?.to_owned()),
                "--only" => options.only.push(value()?.to_owned()),
                "--free" => options.limits.push(false),
                "--limited" => options.limits.push(true),
                "--unsigned" => options.unsigned = true,
                "--rtt" => options.distance.round_trip = round_trip(value()?)?,
                "--bandwidth" => {
                    let mebibytes: u64 = value()?.parse().context("--bandwidth")?;
                    options.distance.bandwidth = Some(mebibytes << 20);
                }
                "--tls" => options.distance.tls = true,
                "--json" => options.json = Some(value()?.into()),
                "--peers" if value()? == "required" => options.peers_required = true,
                "--program" => {
                    let named = value()?.split_once('=').context("--program NAME=PATH")?;
                    options.programs.push((named.0.to_owned(), named.1.into()));
                }
                other => bail!("{other}: there are {USAGE}"),
            }
        }
        if options.limits.is_empty() {
            options.limits = vec![false, true];
        }
        if options.rounds == 0 {
            bail!("--rounds 0: a median wants one at least");
        }
        let known = |name: &String| SHAPES.iter().any(|shape| shape.name == name);
        if let Some(name) = options.shapes.iter().find(|name| !known(name)) {
            let names: Vec<&str> = SHAPES.iter().map(|shape| shape.name).collect();
            bail!("--shape {name}: there are {}", names.join(", "));
        }
        Ok(options)
    }

    /// The shapes to measure.
    pub fn shapes(&self) -> impl Iterator<Item = Shape> {
        let wanted = |shape: &Shape| {
            self.shapes.is_empty() || self.shapes.iter().any(|name| name == shape.name)
        };
        SHAPES.into_iter().filter(wanted)
    }

    /// The path of a program: from the options, from PATH, or from the folder that setup installs into.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let named = self.programs.iter().find(|(known, _)| known == name);
        if let Some((_, path)) = named {
            return Some(path.clone());
        }
        emulator::find(name)
    }
}

/// Reads a time in the form of a flag: `20ms`, `500us`, `1s`.
fn round_trip(text: &str) -> Result<Duration> {
    let units = [("ms", 1_000), ("us", 1), ("s", 1_000_000)];
    let found = units.iter().find_map(|(unit, micros)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Duration::from_micros(number.checked_mul(*micros)?))
    });
    found.with_context(|| format!("--rtt {text}: write a time such as 20ms"))
}
