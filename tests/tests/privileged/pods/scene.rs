//! What all scenarios begin with: a task's pod, and the rights that a watcher needs.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;

use copilot::idl::{LiteralMap, Message as _};
use copilot_tests::binary::wait_until;
use copilot_tests::container::{Container, Layout, Node, Pids, Spec};
use copilot_tests::task_pod::{NAME, Outcome, TaskPod};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use rustix::process::Signal;

/// A main that does its work.
pub const WORKS: &str = "echo hello > /var/outputs/word";

/// Where containers find the gates that hold them up.
const GATES: &str = "/gates";

/// A task's pod, and how its sidecar watches.
pub struct Scene {
    pub task: TaskPod,
    watcher: &'static str,
}

impl Scene {
    pub fn set(watcher: &'static str) -> Self {
        Self::on(watcher, Layout::default(), Pids::Shared)
    }

    pub fn on(watcher: &'static str, layout: Layout, pids: Pids) -> Self {
        let task = TaskPod::start_on(layout, pids).expect("a pod can be made");
        Self { task, watcher }
    }

    /// The uploader of one text, with the rights that its watcher needs and no others.
    pub fn sidecar(&self) -> Spec {
        self.empower(self.task.powerless_sidecar().unwrap())
    }

    /// The same of another uploader.
    pub fn empower(&self, sidecar: Spec) -> Spec {
        let sidecar = Node::here().slow_down(sidecar);
        let sidecar = sidecar.argument(&format!("--watcher={}", self.watcher));
        if self.watcher == "ebpf" {
            return sidecar.capabilities(&["BPF", "PERFMON"]);
        }
        sidecar
    }

    /// Starts the uploader with further options and waits until it watches.
    pub fn attach(&self, options: &[&str]) -> Container<'_> {
        let add = |sidecar: Spec, option: &&str| sidecar.argument(option);
        let sidecar = options.iter().fold(self.sidecar(), add);
        self.task.attach(&sidecar).unwrap()
    }

    pub fn run(&self, spec: &Spec) -> Container<'_> {
        self.task.pod.run(spec).unwrap()
    }

    /// A container that mounts the output volume, and the gates.
    pub fn worker(&self, name: &str, script: &str) -> Spec {
        let gates = self.task.pod.volume("gates").unwrap();
        let spec = self.task.main_called(name, script).unwrap();
        spec.mount(gates, GATES)
    }

    /// Starts a main that is called as Flyte calls it.
    pub fn main(&self, script: &str) -> Container<'_> {
        self.run(&self.worker(NAME, script))
    }

    /// Runs our downloader, of no inputs, to its end.
    pub fn download(&self) {
        let inputs = LiteralMap::default().encode_to_vec();
        fs::write(self.task.object("inputs.pb"), inputs).unwrap();
        let endpoint = &self.task.server().endpoint;
        let downloader = self.run(&self.task.downloader(endpoint).unwrap());
        let ended = downloader.wait().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.log);
    }

    /// A gate at which a script waits (`read go < /gates/NAME`) until the test opens it.
    pub fn gate(&self, name: &str) -> Gate {
        let path = self.task.pod.volume("gates").unwrap().join(name);
        mkfifoat(CWD, &path, Mode::from_raw_mode(0o666)).unwrap();
        // Whatever the umask is.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        Gate(path)
    }

    /// Waits for main's end, as a runtime's shim does, then for the sidecar's.
    #[track_caller]
    pub fn end(&self, main: &Container<'_>, sidecar: &Container<'_>) -> Outcome {
        main.wait().unwrap();
        self.task.outcome(sidecar).unwrap()
    }

    /// The same in a pod that then ends: as kubelet does, it stops the sidecar once main is over.
    #[track_caller]
    pub fn end_and_stop(&self, main: &Container<'_>, sidecar: &Container<'_>) -> Outcome {
        main.wait().unwrap();
        sidecar.signal(Signal::TERM).unwrap();
        self.task.outcome(sidecar).unwrap()
    }
}

/// A named pipe that a script of a container reads one line of.
pub struct Gate(PathBuf);

impl Gate {
    /// Lets whoever waits pass; waits until somebody does.
    pub fn open(&self) {
        let without_waiting = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
        wait_until("a script waits at the gate", || {
            let mut options = OpenOptions::new();
            options.write(true).custom_flags(without_waiting);
            // There is nobody to write to until a script has opened it.
            let opened = options.open(&self.0);
            opened.is_ok_and(|mut gate| gate.write_all(b"go\n").is_ok())
        });
    }
}

/// Waits until the sidecar has said `words`.
#[track_caller]
pub fn wait_for_words(sidecar: &Container<'_>, words: &str) {
    wait_until(words, || sidecar.log().contains(words));
}

/// Nothing ends the sidecar, as far as a moment can show.
#[track_caller]
pub fn assert_waiting(sidecar: &Container<'_>) {
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(sidecar.try_wait().unwrap().is_none(), "{}", sidecar.log());
}
