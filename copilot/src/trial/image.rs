//! A task's command in an image: the command line of docker, podman or nerdctl.

use std::path::{Path, PathBuf};

use super::error::TrialError;
use super::request::Runtime;
use super::workspace::Workspace;

/// The programs that run images, in the order in which they are looked for. They take the same arguments.
const TOOLS: [&str; 3] = ["docker", "podman", "nerdctl"];

/// A container to run.
#[derive(Debug)]
pub(super) struct ImageRun {
    /// The program: its path.
    pub(super) tool: PathBuf,
    /// The container's name, by which it can be ended.
    pub(super) name: String,
}

impl ImageRun {
    /// Finds a program that runs images.
    pub(super) fn find(image: &str) -> Result<Self, TrialError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = TOOLS.iter().find_map(|tool| {
            let mut candidates = std::env::split_paths(&path).map(|folder| folder.join(tool));
            candidates.find(|candidate| is_program(candidate))
        });
        let tool = found.ok_or_else(|| TrialError::NoContainerTool(image.to_owned()))?;
        Ok(Self {
            tool,
            name: format!("copilot-run-{:08x}", rand::random::<u32>()),
        })
    }

    /// The arguments that run the command in the image. Its first word replaces the image's entry point, as in a
    /// pod.
    pub(super) fn arguments(
        &self,
        image: &str,
        runtime: &Runtime,
        workspace: &Workspace,
        command: &[String],
    ) -> Vec<String> {
        let mount = |from: PathBuf, to: &str, options: &str| {
            [
                "--volume".to_owned(),
                format!("{}:{to}{options}", from.display()),
            ]
        };
        let task = workspace.task();
        let mut arguments: Vec<String> = ["run", "--rm", "--name", &self.name]
            .map(str::to_owned)
            .into();
        arguments.extend(mount(workspace.inputs(), &runtime.input_data_dir, ":ro"));
        arguments.extend(mount(workspace.outputs(), &runtime.output_data_dir, ""));
        arguments.extend(mount(task.clone(), &task.display().to_string(), ""));
        if let Some(entry) = command.first() {
            arguments.extend(["--entrypoint".to_owned(), entry.clone()]);
        }
        arguments.push(image.to_owned());
        arguments.extend(command.iter().skip(1).cloned());
        arguments
    }
}

fn is_program(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file()
}
