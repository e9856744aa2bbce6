//! The `runc` that containerd calls on our nodes: it changes a container's configuration where this
//! machine needs it, and then runs the real one.
//!
//! On a node with one cgroup2 tree without controllers, limits of CPU, memory and processes are removed.
//! The memory limit still applies: before the container's program starts, its first process joins a v1
//! cgroup with that limit, so the OOM killer is the real one. Kubelet then reports `Error`, not
//! `OOMKilled`. If cgroups have the names of the systemd driver, the cgroup's path is changed, too.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The name by which this program is called as `runc`.
pub const NAME: &str = "runc";

/// The mount point of the v1 memory hierarchy on a node with one cgroup2 tree.
#[must_use]
pub fn memory(node: &Path) -> PathBuf {
    node.join("memory")
}

/// The parent of our cgroups in it.
pub const LIMITED: &str = "copilot-kubelet-limited";

/// The settings that a cgroup2 tree without controllers does not support.
const IMPOSSIBLE: [&str; 5] = ["cpu", "memory", "pids", "hugepageLimits", "unified"];

/// Runs the real `runc` with these arguments; `program` is the path of this program.
pub fn run(program: &Path, arguments: &[String]) -> Result<ExitCode> {
    let node = program.ancestors().nth(2);
    let node = node.context("a node keeps its runtime in a folder")?;
    let settings: Value = serde_json::from_slice(&fs::read(node.join("node.json"))?)?;
    let call = Call::parse(arguments);
    match call.verb {
        Some("create") => create(node, &settings, &call, arguments),
        Some("delete") => {
            let status = real(arguments).status()?;
            if let Some(id) = call.id {
                let _ = fs::remove_dir(limited(node, id));
            }
            Ok(code(status))
        }
        _ => Err(real(arguments).exec()).context("runc"),
    }
}

fn create(
    node: &Path,
    settings: &Value,
    call: &Call<'_>,
    arguments: &[String],
) -> Result<ExitCode> {
    let bundle = call.bundle.context("a container is made from a bundle")?;
    let file = Path::new(bundle).join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file)?)?;
    if settings["names"] == "systemd" {
        let path = config["linux"]["cgroupsPath"].as_str().and_then(systemd);
        if let Some(path) = path {
            config["linux"]["cgroupsPath"] = path.into();
        }
    }
    let bare = settings["bare"] == true;
    let limit = config["linux"]["resources"]["memory"]["limit"].as_i64();
    if bare && let Some(resources) = config["linux"]["resources"].as_object_mut() {
        resources.retain(|name, _| !IMPOSSIBLE.contains(&name.as_str()));
    }
    fs::write(&file, config.to_string())?;
    let status = real(arguments).status()?;
    if status.success()
        && bare
        && let (Some(limit @ 1..), Some(id), Some(pid)) = (limit, call.id, call.pid_file)
    {
        let cgroup = limited(node, id);
        fs::create_dir_all(&cgroup)?;
        fs::write(cgroup.join("memory.limit_in_bytes"), limit.to_string())?;
        fs::write(cgroup.join("cgroup.procs"), fs::read_to_string(pid)?)?;
    }
    Ok(code(status))
}

/// The parts of a call that matter here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Call<'a> {
    verb: Option<&'a str>,
    bundle: Option<&'a str>,
    pid_file: Option<&'a str>,
    id: Option<&'a str>,
}

impl<'a> Call<'a> {
    fn parse(arguments: &'a [String]) -> Self {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let after = |name: &str| {
            let at = words.iter().position(|word| *word == name)?;
            words.get(at + 1).copied()
        };
        let verbs = ["create", "delete"];
        Self {
            verb: words.iter().copied().find(|word| verbs.contains(word)),
            bundle: after("--bundle"),
            pid_file: after("--pid-file"),
            id: words.last().copied(),
        }
    }
}

/// The systemd driver's name for the cgroup that the cgroupfs driver calls `/kubepods/QOS/podUID/ID`.
/// Guaranteed pods lack the level of the class.
fn systemd(path: &str) -> Option<String> {
    let words: Vec<&str> = path.strip_prefix("/kubepods/")?.split('/').collect();
    let (class, pod, id) = match words.as_slice() {
        [class, pod, id] => (Some(*class), *pod, *id),
        [pod, id] => (None, *pod, *id),
        _ => return None,
    };
    let uid = pod.strip_prefix("pod")?.replace('-', "_");
    let slice = match class {
        Some(class) => format!("kubepods-{class}.slice/kubepods-{class}-pod{uid}.slice"),
        None => format!("kubepods-pod{uid}.slice"),
    };
    Some(format!("/kubepods.slice/{slice}/cri-containerd-{id}.scope"))
}

fn limited(node: &Path, id: &str) -> PathBuf {
    memory(node).join(LIMITED).join(id)
}

fn real(arguments: &[String]) -> Command {
    // This program is not on PATH.
    let mut command = Command::new("runc");
    command.args(arguments);
    command
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systemd_driver_names_slices_and_a_scope() {
        let uid = "0b1e4f6a-0000-4000-8000-000000000001";
        let with = uid.replace('-', "_");
        assert_eq!(
            systemd(&format!("/kubepods/burstable/pod{uid}/abc")).as_deref(),
            Some(&*format!(
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{with}.slice/\
                 cri-containerd-abc.scope"
            ))
        );
        assert_eq!(
            systemd(&format!("/kubepods/pod{uid}/abc")).as_deref(),
            Some(&*format!(
                "/kubepods.slice/kubepods-pod{with}.slice/cri-containerd-abc.scope"
            ))
        );
        assert_eq!(systemd("/load/abc"), None);
    }

    #[test]
    fn a_call_is_understood_with_options_before_its_verb() {
        let words = "--root /r --log /l create --bundle /b --pid-file /p ID";
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let expected = Call {
            verb: Some("create"),
            bundle: Some("/b"),
            pid_file: Some("/p"),
            id: Some("ID"),
        };
        assert_eq!(Call::parse(&words), expected);
    }
}
