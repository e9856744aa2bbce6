//! Uploads and downloads: compares Copilot with well-known tools and with `bare`, a plain loop over the
//! store library, which is the lower bound.
//!
//! All use one server in its own process. The programs take turns, and medians are compared, so that other
//! load on the machine affects all alike. They run without limits, and with the sidecar's limits of half a
//! CPU and 128 MiB including page cache. The files are counted after each run, and compared byte by byte
//! once for each program: otherwise one that loses files would seem fast.

mod conditions;
mod contender;
mod distance;
mod measure;
mod options;
mod relay;
pub(super) mod server;
mod shape;
pub(super) mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::json;

pub use measure::measured;
pub use options::Options;
pub use relay::serve as relay;

use self::conditions::Conditions;
use self::contender::{Contender, Direction, Job, OUTPUT, contenders};
use self::server::Server;
use self::shape::{SMALL, Shape};
use super::report::{Case, Report, Row, Run};
use crate::bounded::{self, Bounded};

/// The sidecar's limits: bytes of memory, and thousandths of a CPU.
const MEMORY: u64 = 128 << 20;
const CPU: u64 = 500;

/// Measures. `program` is the path of this program.
pub fn run(program: &Path, copilot: &Path, options: &Options, part: bool) -> Result<Report> {
    let contenders = contenders(copilot, options)?;
    let places = Places::new()?;
    let server = Server::start_at(program, places.memory.path(), options.distance())?;
    let rounds = if part { 1 } else { options.rounds };
    let mut report = Report::begin("transfer", part, json!({"rounds": rounds}))?;
    report.program("server", &server.version);
    for contender in &contenders {
        report.program(contender.name, &contender.version);
    }
    for limited in options.limits() {
        if limited && !bounded::is_possible() {
            if options.are_limits_required() {
                bail!("--limited: no cgroup that counts memory can be made here; run it as root");
            }
            println!("not measured under limits: no cgroup that counts memory can be made here");
            continue;
        }
        let bounded = limited.then(|| Bounded::create(MEMORY, Some(CPU)));
        let bounded = bounded.transpose()?;
        for shape in options.shapes() {
            let mut field = Field {
                program,
                server: &server,
                contenders: &contenders,
                places: &places,
                bounded: bounded.as_ref(),
                options,
                rounds,
                shape: if part { shape.part() } else { shape },
                kept: Vec::new(),
            };
            field.measure(&mut report)?;
        }
    }
    Ok(report)
}

/// Where the files are. Without limits they are in memory, so that no disk is measured. With limits they
/// are on disk, since files in memory are charged to the process that wrote them.
struct Places {
    memory: tempfile::TempDir,
    disk: tempfile::TempDir,
}

impl Places {
    fn new() -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let memory = if memory.is_dir() {
            tempfile::tempdir_in(memory)?
        } else {
            tempfile::tempdir()?
        };
        Ok(Self {
            memory,
            // In the folder of cargo's builds, which is on disk; a temporary directory may be in memory.
            disk: tempfile::tempdir_in(
                std::env::current_exe()?.parent().unwrap_or(Path::new(".")),
            )?,
        })
    }
}

/// Measures one shape with all programs in both directions.
struct Field<'a> {
    program: &'a Path,
    server: &'a Server,
    contenders: &'a [Contender],
    places: &'a Places,
    bounded: Option<&'a Bounded>,
    options: &'a Options,
    rounds: u32,
    shape: Shape,
    /// Directories of small files, which are removed only after all turns: for new files ext4 skips inodes
    /// that were just deleted, one by one, and that would slow down the next program.
    kept: Vec<PathBuf>,
}

impl Field<'_> {
    fn measure(&mut self, report: &mut Report) -> Result<()> {
        let place = match self.bounded {
            Some(_) => self.places.disk.path(),
            None => self.places.memory.path(),
        };
        let source = place.join(self.shape.name).join(OUTPUT);
        self.shape.write(&source)?;
        let prefix = format!("{}-source", self.shape.name);
        self.server.upload(&source, &prefix)?;
        self.server.put_inputs(&prefix)?;
        for direction in [Direction::Up, Direction::Down] {
            let mut runs: Vec<Vec<Run>> = vec![Vec::new(); self.contenders.len()];
            for round in 0..=self.rounds {
                for (runs, contender) in runs.iter_mut().zip(self.contenders) {
                    let run = self.turn(contender, direction, round, place, &source, &prefix)?;
                    // The first round is the warm-up, in which all bytes are compared.
                    if round > 0 {
                        runs.push(run);
                    }
                }
            }
            report.add(self.case(direction, runs)?);
            for target in std::mem::take(&mut self.kept) {
                fs::remove_dir_all(target)?;
            }
        }
        fs::remove_dir_all(place.join(self.shape.name))?;
        self.server.forget(&prefix)
    }

    /// The runs of each program.
    fn case(&self, direction: Direction, runs: Vec<Vec<Run>>) -> Result<Case> {
        let limited = self.bounded.is_some();
        let Options { unsigned, .. } = *self.options;
        let conditions = Conditions::new(
            self.shape,
            direction,
            limited,
            unsigned,
            self.options.distance(),
        );
        let rows = self.contenders.iter().zip(runs);
        Ok(Case {
            table: conditions.table(),
            name: conditions.title(),
            parameters: serde_json::to_value(conditions)?,
            rows: rows
                .map(|(contender, runs)| Row::new(contender.name, runs))
                .collect(),
        })
    }

    /// Runs one program once, and checks the files.
    fn turn(
        &mut self,
        contender: &Contender,
        direction: Direction,
        round: u32,
        place: &Path,
        source: &Path,
        prefix: &str,
    ) -> Result<Run> {
        let to = format!("{}-{}-{round}", self.shape.name, contender.name);
        let target = place.join(format!("target-{to}"));
        let job = Job {
            server: self.server,
            direction,
            prefix: match direction {
                Direction::Down => prefix,
                Direction::Up => &to,
            },
            directory: match direction {
                Direction::Down => &target,
                Direction::Up => source,
            },
            unsigned: self.options.unsigned,
        };
        if let Some(bounded) = self.bounded {
            bounded.forget_cache()?;
        }
        let run = measure::run(self.program, self.bounded, &contender.command(&job)?)?;
        if run.failed.is_none() {
            let moved = match direction {
                Direction::Down => self.shape.check(&contender.files(&target), round == 0)?,
                Direction::Up => self
                    .shape
                    .compare(&self.server.list(&contender.prefix(&to))?),
            };
            if let Err(loss) = moved {
                bail!("{} {direction}: {loss}", contender.name);
            }
        }
        match direction {
            Direction::Up => self.server.forget(&to)?,
            Direction::Down if self.shape.name == SMALL => self.kept.push(target),
            Direction::Down => fs::remove_dir_all(&target)?,
        }
        Ok(run)
    }
}
