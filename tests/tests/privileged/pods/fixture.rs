//! The fixture of all scenarios: a task's pod of real containers, with the capabilities that its watcher
//! requires.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;

use copilot::idl::{LiteralMap, Message as _};
use copilot_tests::binary::wait_until;
use copilot_tests::container::{Container, Layout, NodeKind, Pids, Spec};
use copilot_tests::fixture::{NAME, Outcome, TaskPod};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use rustix::process::Signal;

/// A script of a main that writes its output.
pub const WORKS: &str = "echo hello > /var/outputs/word";

/// The folder of the gates in containers.
const GATES: &str = "/gates";

/// A task's pod, and the watcher of its sidecar.
pub struct ContainerFixture {
    pub task: TaskPod,
    watcher: &'static str,
}

impl ContainerFixture {
    pub fn start(watcher: &'static str) -> Self {
        Self::start_on(watcher, Layout::default(), Pids::Shared)
    }

    pub fn start_on(watcher: &'static str, layout: Layout, pids: Pids) -> Self {
        let task = TaskPod::start_on(layout, pids).expect("a pod can be made");
        Self { task, watcher }
    }

    /// The watcher's name.
    pub fn watcher(&self) -> &'static str {
        self.watcher
    }

    /// An uploader for one text, with only the capabilities that its watcher needs.
    pub fn sidecar(&self) -> Spec {
        self.empower(self.task.powerless_sidecar().unwrap())
    }

    /// The same for another uploader.
    pub fn empower(&self, sidecar: Spec) -> Spec {
        let sidecar = NodeKind::here().slow_down(sidecar);
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

    /// Starts main, with the name that Flyte gives it.
    pub fn main(&self, script: &str) -> Container<'_> {
        self.run(&self.worker(NAME, script))
    }

    /// Runs our downloader to its end, without inputs.
    pub fn download(&self) {
        let inputs = LiteralMap::default().encode_to_vec();
        fs::write(self.task.object("inputs.pb"), inputs).unwrap();
        let endpoint = &self.task.server().endpoint;
        let downloader = self.run(&self.task.downloader(endpoint).unwrap());
        let ended = downloader.wait().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    }

    /// A gate at which a script waits (`read go < /gates/NAME`) until the test opens it.
    pub fn gate(&self, name: &str) -> Gate {
        let path = self.task.pod.volume("gates").unwrap().join(name);
        mkfifoat(CWD, &path, Mode::from_raw_mode(0o666)).unwrap();
        // The umask may have taken some of these bits.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        Gate(path)
    }

    /// Waits for main's end, as a runtime's shim does, and then for the sidecar's end.
    #[track_caller]
    pub fn end(&self, main: &Container<'_>, sidecar: &Container<'_>) -> Outcome {
        main.wait().unwrap();
        self.task.outcome(sidecar).unwrap()
    }

    /// The same, but stops the sidecar after main's end, as kubelet does.
    #[track_caller]
    pub fn end_and_stop(&self, main: &Container<'_>, sidecar: &Container<'_>) -> Outcome {
        main.wait().unwrap();
        sidecar.signal(Signal::TERM).unwrap();
        self.task.outcome(sidecar).unwrap()
    }
}

/// A named pipe from which a script in a container reads one line.
pub struct Gate(PathBuf);

impl Gate {
    /// Waits until a script waits at the gate, and lets it pass.
    pub fn open(&self) {
        let without_waiting = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
        wait_until("a script waits at the gate", || {
            let mut options = OpenOptions::new();
            options.write(true).custom_flags(without_waiting);
            // This fails until a script has opened the pipe to read.
            let opened = options.open(&self.0);
            opened.is_ok_and(|mut gate| gate.write_all(b"go\n").is_ok())
        });
    }
}

/// Waits until the sidecar's log contains `words`.
#[track_caller]
pub fn wait_for_words(sidecar: &Container<'_>, words: &str) {
    wait_until(words, || sidecar.log().contains(words));
}

/// Checks that the sidecar still runs after a moment.
#[track_caller]
pub fn assert_waiting(sidecar: &Container<'_>) {
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(sidecar.try_wait().unwrap().is_none(), "{}", sidecar.log());
}
