//! Large transfers in a container with half a CPU and 128 MiB including page cache: checks that they are
//! complete and that the container is not killed, and measures their cost.
//!
//! The store has no disk ([`crate::boundless`]): downloads are compared with what it generates, and uploads
//! are only counted.

use std::fs::{self, File};
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{LiteralMap, Message as _, blob_type::BlobDimensionality};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde_json::json;

use super::report::markdown::{self, Column, mebibytes};
use super::report::{Case, Report, Row, Run, version_of_copilot};
use crate::bounded::Bounded;
use crate::boundless::{BoundlessServer, pattern};
use crate::flags;
use crate::task::{INPUTS, OUTPUTS, RAW, blob, blob_type, interface};

const MIB: u64 = 1 << 20;

/// The sidecar's limits by default: bytes, and thousandths of a CPU.
const MEMORY: u64 = 128 * MIB;
const CPU: u64 = 500;

/// Size of a small file.
const SMALL: u64 = 10 * 1024;

/// Clock ticks a second, as `/proc/PID/stat` counts CPU time.
const TICKS: u64 = 100;

/// What to move.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// A directory on disk with room for the files
    directory: PathBuf,
    /// The size of the large object in MiB
    #[arg(long, value_name = "N", default_value_t = 10_240, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    mebibytes: u64,
    /// The number of small files
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    files: u64,
}

/// Moves one large object and many small ones, both ways.
pub fn run(copilot: &Path, options: &Options, part: bool) -> Result<Report> {
    let (mebibytes, files) = if part {
        (20, 20)
    } else {
        (options.mebibytes, options.files)
    };
    let parameters =
        json!({"mebibytes": mebibytes, "files": files, "memory_bytes": MEMORY, "cpu_millis": CPU});
    let mut report = Report::begin("memory", part, parameters)?;
    report.program("copilot", &version_of_copilot(copilot));
    let directory = tempfile::tempdir_in(&options.directory)
        .with_context(|| format!("{} cannot be used", options.directory.display()))?;
    let mut bench = MemoryBench {
        copilot,
        directory: directory.path(),
        server: BoundlessServer::start()?,
        report: &mut report,
    };
    bench.large(mebibytes * MIB)?;
    bench.small(files)?;
    Ok(report)
}

/// The table of what the transfers cost.
pub fn table(cases: &[&Case]) -> Result<String> {
    let columns: [Column; 5] = [
        ("wall s", |row| Ok(format!("{:.1}", row.median("wall_s")?))),
        ("user s", |row| Ok(format!("{:.1}", row.median("user_s")?))),
        ("system s", |row| {
            Ok(format!("{:.1}", row.median("system_s")?))
        }),
        ("highest charge MiB", |row| {
            Ok(format!("{:.0}", mebibytes(row, "peak_bytes")?))
        }),
        ("killed", |row| Ok(format!("{:.0}", row.median("killed")?))),
    ];
    markdown::rows(cases, &columns)
}

struct MemoryBench<'a> {
    copilot: &'a Path,
    directory: &'a Path,
    server: BoundlessServer,
    report: &'a mut Report,
}

impl MemoryBench<'_> {
    fn large(&mut self, size: u64) -> Result<()> {
        let uri = format!("s3://data/sized/{size}");
        let name = format!("{} MiB", size / MIB);
        self.down(&name, &uri, BlobDimensionality::Single)?;
        let there = self.directory.join("x");
        ensure!(is_of_pattern(&there, size)?, "other bytes came down");
        let sent = self.up(&name, BlobDimensionality::Single)?;
        ensure!(sent.1 > size && sent.1 < size + MIB, "sent: {sent:?}");
        Ok(fs::remove_file(there)?)
    }

    fn small(&mut self, count: u64) -> Result<()> {
        let uri = format!("s3://data/many/{count}/{SMALL}");
        let name = format!("{count} files");
        self.down(&name, &uri, BlobDimensionality::Multipart)?;
        let there = self.directory.join("x");
        for number in [0, count / 2, count - 1] {
            let file = there.join(format!("{number:08}"));
            ensure!(is_of_pattern(&file, SMALL)?, "other bytes came down");
        }
        ensure!(
            fs::read_dir(&there)?.count() as u64 == count,
            "files are missing"
        );
        let sent = self.up(&name, BlobDimensionality::Multipart)?;
        ensure!(sent.0 == count + 1, "sent: {sent:?}");
        Ok(fs::remove_dir_all(there)?)
    }

    fn down(&mut self, name: &str, uri: &str, kind: BlobDimensionality) -> Result<()> {
        let literals = [("x".to_owned(), blob(uri, kind))].into();
        let inputs = LiteralMap { literals }.encode_to_vec();
        self.server.put("data/task/inputs.pb", inputs);
        let cgroup = Bounded::create(MEMORY, Some(CPU))?;
        let mut command = self.command(&cgroup)?;
        command.args(["download", "--from-remote", INPUTS]);
        command.args(["--to-output-prefix", OUTPUTS, "--to-local-dir"]);
        command.arg(self.directory);
        self.add(format!("{name} down"), measured(command, &cgroup)?);
        Ok(())
    }

    /// Uploads `x`; returns the number of objects and bytes that arrived.
    fn up(&mut self, name: &str, kind: BlobDimensionality) -> Result<(u64, u64)> {
        let before = self.server.received();
        let interface = interface([("x", blob_type(kind))]).encode_to_vec();
        let cgroup = Bounded::create(MEMORY, Some(CPU))?;
        let mut command = self.command(&cgroup)?;
        command.args(["sidecar", "--watcher=noop", "--to-raw-output", RAW]);
        command.args(["--to-output-prefix", OUTPUTS, "--interface"]);
        command.arg(BASE64_STANDARD.encode(interface));
        command.arg("--from-local-dir").arg(self.directory);
        self.add(format!("{name} up"), measured(command, &cgroup)?);
        let after = self.server.received();
        Ok((after.0 - before.0, after.1 - before.1))
    }

    fn add(&mut self, name: String, run: Run) {
        self.report.add(Case {
            table: String::new(),
            name,
            parameters: json!({}),
            rows: vec![Row::new("copilot", vec![run])],
        });
    }

    fn command(&self, cgroup: &Bounded) -> Result<Command> {
        let mut command = cgroup.command(self.copilot)?;
        let endpoint = self.server.endpoint();
        command.args(flags::s3(&endpoint, "data", ("key", "secret")));
        Ok(command)
    }
}

/// Runs a command that must succeed, and returns its cost.
fn measured(mut command: Command, cgroup: &Bounded) -> Result<Run> {
    let log = tempfile::NamedTempFile::new()?;
    command.stderr(log.reopen()?).stdout(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn()?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.context("a process has an id")?;
    // It has ended but is not reaped: then the kernel still knows its cost.
    waitid(
        WaitId::Pid(pid),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    )?;
    let wall = begun.elapsed();
    let (user, system) = cpu(&fs::read_to_string(format!("/proc/{}/stat", child.id()))?)?;
    let status = child.wait()?;
    let (peak, kills) = (cgroup.peak()?, cgroup.kills()?);
    ensure!(
        status.success() && kills == 0,
        "{status}, {kills} killed: {}",
        fs::read_to_string(log.path())?
    );
    #[expect(clippy::cast_precision_loss, reason = "memory of a container")]
    let (peak, kills) = (peak as f64, kills as f64);
    Ok(Run::new([
        ("wall_s", wall.as_secs_f64()),
        ("user_s", user.as_secs_f64()),
        ("system_s", system.as_secs_f64()),
        ("peak_bytes", peak),
        ("killed", kills),
    ]))
}

fn cpu(stat: &str) -> Result<(Duration, Duration)> {
    let (_, fields) = stat.rsplit_once(')').context("a stat has a name")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || -> Result<Duration> {
        let ticks: u64 = fields.next().context("a stat is long")?.parse()?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS))
    };
    Ok((next()?, next()?))
}

/// Whether a file has this size and the content that the server generates.
pub fn is_of_pattern(path: &Path, size: u64) -> Result<bool> {
    let pattern = pattern();
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut left, mut found) = (size, vec![0; pattern.len()]);
    while left > 0 {
        let piece = usize::try_from(left)?.min(pattern.len());
        file.read_exact(&mut found[..piece])?;
        if found[..piece] != pattern[..piece] {
            return Ok(false);
        }
        left -= piece as u64;
    }
    Ok(file.read(&mut found)? == 0)
}
