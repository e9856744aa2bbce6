//! The programs that are compared, and their command lines.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{Message as _, blob_type::BlobDimensionality};
use serde::{Deserialize, Serialize};

use super::options::Options;
use super::server::{BUCKET, Server};
use crate::bench::report;
use crate::binary;
use crate::minio::{ACCESS_KEY, SECRET_KEY};
use crate::task::{blob_type, interface};

/// The name of Copilot.
pub const OURS: &str = "copilot";
/// The name of the lower bound.
pub const BARE: &str = "bare";
pub const S5CMD: &str = "s5cmd";
pub const RCLONE: &str = "rclone";
/// The same with more transfers at once, for stores that are far away.
pub const RCLONE_64: &str = "rclone-64";

/// The name of Copilot's only input and output, which is part of each path.
pub const OUTPUT: &str = "data";

/// The direction of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the store to files.
    Down,
    /// From files to the store.
    Up,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down => "down",
            Self::Up => "up",
        })
    }
}

/// Files to move.
#[derive(Debug)]
pub struct Job<'a> {
    /// The address of the store.
    pub server: &'a Server,
    /// The direction of a transfer.
    pub direction: Direction,
    /// The prefix that the objects have.
    pub prefix: &'a str,
    /// The directory that the files have.
    pub directory: &'a Path,
    /// Whether programs that can do so leave payloads unsigned.
    pub unsigned: bool,
}

/// A program that can move files.
#[derive(Debug)]
pub struct Contender {
    /// Its name in the tables.
    pub name: &'static str,
    /// Its version.
    pub version: String,
    program: PathBuf,
}

/// Finds the programs, and reports those that are missing.
pub fn contenders(copilot: &Path, options: &Options) -> Result<Vec<Contender>> {
    let mut found = Vec::new();
    for name in [OURS, BARE, S5CMD, RCLONE, RCLONE_64] {
        if name == RCLONE_64 && options.distance().is_direct() {
            continue;
        }
        if !options.only.is_empty() && !options.only.iter().any(|only| only == name) {
            continue;
        }
        let program = match name {
            OURS => Some(copilot.to_owned()),
            RCLONE_64 => options.program(RCLONE),
            _ => options.program(name),
        };
        match program {
            Some(program) => found.push(Contender {
                name,
                version: version(&program, name),
                program,
            }),
            None if options.are_peers_required() => {
                bail!("{name} is not here, and peers are required: `cargo xtask setup --benches`")
            }
            None => println!("{name}: absent, so nothing is compared with it"),
        }
    }
    Ok(found)
}

fn version(program: &Path, name: &str) -> String {
    let argument = if name == OURS { "--version" } else { "version" };
    match (name, report::version(program, argument)) {
        (BARE, _) => "a loop over the store library".to_owned(),
        (_, Some(line)) => line,
        (_, None) => "unknown".to_owned(),
    }
}

impl Contender {
    /// The command that moves the files.
    pub fn command(&self, job: &Job<'_>) -> Result<Command> {
        let mut command = Command::new(&self.program);
        binary::isolate(&mut command);
        if let Some(authority) = job.server.authority() {
            command.env("SSL_CERT_FILE", authority);
        }
        match self.name {
            OURS => ours(job, &mut command)?,
            BARE => bare(job, &mut command),
            S5CMD => s5cmd(job, &mut command),
            RCLONE_64 => rclone(job, &mut command, "64"),
            // As many as Copilot begins with: its default of 4 is slower.
            _ => rclone(job, &mut command, "16"),
        }
        Ok(command)
    }

    /// Where it puts the files below the directory.
    pub fn files(&self, directory: &Path) -> PathBuf {
        match self.name {
            OURS => directory.join(OUTPUT),
            _ => directory.to_owned(),
        }
    }

    /// Where it puts the objects below the prefix.
    pub fn prefix(&self, prefix: &str) -> String {
        match self.name {
            OURS => format!("{prefix}/{OUTPUT}"),
            _ => prefix.to_owned(),
        }
    }
}

/// Copilot's command has the platform's arguments, with the inputs and outputs of a task.
fn ours(job: &Job<'_>, command: &mut Command) -> Result<()> {
    let results = format!("s3://{BUCKET}/results/{}", job.prefix);
    command.args(job.server.flags());
    if job.unsigned {
        command.arg("--storage.s3.sign-payload=never");
    }
    match job.direction {
        Direction::Down => {
            command.args(["download", "--to-output-prefix", &results]);
            command.args(["--from-remote", &Server::inputs_of(job.prefix)]);
            command.arg("--to-local-dir").arg(job.directory);
        }
        Direction::Up => {
            let outputs = interface([(OUTPUT, blob_type(BlobDimensionality::Multipart))]);
            let outputs = BASE64_STANDARD.encode(outputs.encode_to_vec());
            command.args(["sidecar", "--watcher=noop", "--interface", &outputs]);
            command.args(["--to-output-prefix", &results]);
            command.arg(format!("--to-raw-output=s3://{BUCKET}/{}", job.prefix));
            // The directory is in the output directory and has the output's name.
            let outputs = job.directory.parent().context("a directory lies in one")?;
            command.arg("--from-local-dir").arg(outputs);
        }
    }
    Ok(())
}

fn bare(job: &Job<'_>, command: &mut Command) {
    keys(command);
    if job.unsigned {
        command.env("AWS_UNSIGNED_PAYLOAD", "true");
    }
    command.args([job.server.endpoint(), BUCKET]);
    let (directory, prefix) = (job.directory, job.prefix);
    match job.direction {
        Direction::Down => command.args(["down", prefix]).arg(directory),
        Direction::Up => command.arg("up").arg(directory).arg(prefix),
    };
}

fn s5cmd(job: &Job<'_>, command: &mut Command) {
    keys(command);
    command.env("AWS_REGION", "us-east-1");
    command.args(["--endpoint-url", job.server.endpoint()]);
    command.args(["--log", "error", "cp"]);
    let remote = format!("s3://{BUCKET}/{}/", job.prefix);
    let local = format!("{}/", job.directory.display());
    match job.direction {
        Direction::Down => command.arg(format!("{remote}*")).arg(local),
        Direction::Up => command.arg(local).arg(remote),
    };
}

fn rclone(job: &Job<'_>, command: &mut Command, transfers: &str) {
    let server = job.server;
    for (name, value) in [
        ("RCLONE_CONFIG", "/dev/null"),
        ("RCLONE_CONFIG_STORE_TYPE", "s3"),
        ("RCLONE_CONFIG_STORE_PROVIDER", "Minio"),
        ("RCLONE_CONFIG_STORE_ENDPOINT", server.endpoint()),
        ("RCLONE_CONFIG_STORE_ACCESS_KEY_ID", ACCESS_KEY),
        ("RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY", SECRET_KEY),
        ("RCLONE_S3_NO_CHECK_BUCKET", "true"),
    ] {
        command.env(name, value);
    }
    command.args(["--transfers", transfers, "--checkers", "16", "copy"]);
    let remote = format!("store:{BUCKET}/{}", job.prefix);
    match job.direction {
        Direction::Down => command.arg(remote).arg(job.directory),
        Direction::Up => command.arg(job.directory).arg(remote),
    };
}

fn keys(command: &mut Command) {
    command
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
}
