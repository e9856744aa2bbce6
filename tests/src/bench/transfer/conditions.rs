//! The conditions of a measurement, as they are in the JSON, and the goals for them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::contender::Direction;
use super::distance::Distance;
use super::shape::{SMALL, Shape};

/// Conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// The shape's name.
    pub shape: String,
    pub files: u64,
    pub bytes_per_file: u64,
    pub direction: Direction,
    /// Whether with the sidecar's limits.
    pub limited: bool,
    /// Whether Copilot and `bare` leave payloads unsigned on plain HTTP.
    pub unsigned: bool,
    pub round_trip_us: u64,
    /// In one direction of a connection.
    pub bandwidth_bytes_per_s: Option<u64>,
    pub tls: bool,
}

/// The most that Copilot may take.
#[derive(Clone, Copy, Debug)]
pub struct Goals {
    /// Wall time relative to the better tool.
    pub wall: Option<f64>,
    /// CPU time relative to the better tool.
    pub cpu: Option<f64>,
    /// Memory in MiB.
    pub peak: f64,
}

impl Conditions {
    pub fn new(
        shape: Shape,
        direction: Direction,
        limited: bool,
        unsigned: bool,
        distance: Distance,
    ) -> Self {
        Self {
            shape: shape.name.to_owned(),
            files: shape.count,
            bytes_per_file: shape.size,
            direction,
            limited,
            unsigned,
            // At most ten seconds.
            round_trip_us: u64::try_from(distance.round_trip.as_micros()).unwrap_or(u64::MAX),
            bandwidth_bytes_per_s: distance.bandwidth,
            tls: distance.tls,
        }
    }

    /// The name of the table: everything but shape and direction.
    pub fn table(&self) -> String {
        let mut words = vec![if self.limited { "limited" } else { "free" }.to_owned()];
        if self.unsigned {
            words.push("unsigned".to_owned());
        }
        if self.round_trip_us > 0 {
            words.push(format!("{:?}", Duration::from_micros(self.round_trip_us)));
        }
        if let Some(bandwidth) = self.bandwidth_bytes_per_s {
            words.push(format!("{}mib", bandwidth >> 20));
        }
        if self.tls {
            words.push("tls".to_owned());
        }
        words.join("-").replace('\u{b5}', "u")
    }

    /// Shape and direction, for a line of the table.
    pub fn title(&self) -> String {
        let size = match self.bytes_per_file {
            size if size >= 1 << 30 => format!("{} GiB", size >> 30),
            size if size >= 1 << 20 => format!("{} MiB", size >> 20),
            size => format!("{} KiB", size >> 10),
        };
        format!("{} × {size} {}", self.files, self.direction)
    }

    pub fn goals(&self) -> Goals {
        let is_direct =
            self.round_trip_us == 0 && self.bandwidth_bytes_per_s.is_none() && !self.tls;
        if is_direct {
            self.goals_beside_the_store()
        } else {
            self.goals_at_a_distance()
        }
    }

    fn is_small(&self) -> bool {
        self.shape == SMALL
    }

    fn goals_at_a_distance(&self) -> Goals {
        let (wall, cpu) = match (self.tls, self.is_small(), self.limited) {
            (true, _, _) => (Some(0.8), Some(0.6)),
            (false, true, true) => (Some(0.7), Some(0.35)),
            (false, true, false) => (Some(0.45), Some(0.35)),
            (false, false, true) => (None, None),
            (false, false, false) => (Some(0.9), None),
        };
        let peak = 64.0;
        Goals { wall, cpu, peak }
    }

    fn goals_beside_the_store(&self) -> Goals {
        let (wall, cpu) = match (self.limited, self.is_small(), self.direction) {
            (true, true, _) => (Some(0.5), None),
            (true, false, _) => (None, None),
            (false, true, _) => (Some(0.65), Some(0.3)),
            (false, false, Direction::Down) => (Some(0.9), Some(0.65)),
            (false, false, Direction::Up) if self.unsigned => (Some(0.75), Some(0.25)),
            (false, false, Direction::Up) => (Some(1.0), Some(0.45)),
        };
        let peak = if self.is_small() { 24.0 } else { 48.0 };
        Goals { wall, cpu, peak }
    }
}
