//! The recorded pods of `tests/fixtures/pods`, for the tests of this folder: who is who in each,
//! and the text of its `/proc` as the sidecar and as the node saw it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    mounts::MountEvidence,
    place::{Place, ProcSelf},
};

const RECORDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/pods");

/// How many pods were recorded.
const PODS: usize = 36;

/// Where Flyte mounts the output volume in the recorded pods.
pub const OUTPUTS: &str = "/var/flyte/outputs";

/// One recorded pod.
pub struct RecordedPod {
    pub truth: Truth,
    directory: PathBuf,
}

/// Who is who, as kubelet and the runtime knew it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Truth {
    pub layout: String,
    pub variant: String,
    pub privilege: String,
    pub pod: Pod,
    pub containers: Vec<Container>,
    pub sandbox_id: String,
    pub processes: Vec<RecordedProcess>,
}

#[derive(Deserialize)]
pub struct Pod {
    pub name: String,
    pub uid: String,
}

#[derive(Deserialize)]
pub struct Container {
    pub name: String,
    pub id: String,
    pub role: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedProcess {
    pub view: String,
    pub pid: i32,
    pub role: String,
    pub container: String,
    pub container_id: String,
}

/// All recorded pods.
pub fn pods() -> Vec<RecordedPod> {
    let mut pods = Vec::new();
    for layout in directories(Path::new(RECORDS)) {
        for variant in directories(&layout) {
            pods.extend(directories(&variant).into_iter().map(RecordedPod::read));
        }
    }
    assert_eq!(pods.len(), PODS, "a record is missing");
    pods
}

impl RecordedPod {
    fn read(directory: PathBuf) -> Self {
        let truth = fs::read(directory.join("truth.json")).expect("each pod has its truth");
        let truth = serde_json::from_slice(&truth).expect("the truth is readable");
        Self { truth, directory }
    }

    /// The pod's name in messages.
    pub fn label(&self) -> String {
        let truth = &self.truth;
        format!("{}/{}/{}", truth.layout, truth.variant, truth.privilege)
    }

    /// A file of a process, as one of the views (`inside`, `host`) has it.
    pub fn text(&self, view: &str, role: &str, file: &str) -> String {
        let path = self.directory.join(view).join(role).join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The processes of one view.
    pub fn processes(&self, view: &str) -> impl Iterator<Item = &RecordedProcess> {
        self.truth
            .processes
            .iter()
            .filter(move |process| process.view == view)
    }

    /// The container with this role.
    pub fn container(&self, role: &str) -> &Container {
        let found = self.truth.containers.iter().find(|each| each.role == role);
        found.expect("each pod has one container of each role")
    }

    /// What a process's mounts say, from the node's view. A child's are its parent's.
    pub fn evidence(&self, role: &str) -> MountEvidence {
        MountEvidence::from_mountinfo(&self.text("host", role, "mountinfo"))
    }

    /// Whether the sidecar sees whole paths: its cgroup namespace is then the node's own.
    pub fn sees_whole_paths(&self) -> bool {
        self.truth.layout == "hybrid-cgroupfs" || self.truth.privilege == "privileged"
    }

    /// Whether that namespace is the kernel's initial one, too: one node ran in its own.
    pub fn is_in_the_initial_namespace(&self) -> bool {
        self.sees_whole_paths() && self.truth.layout != "v2-cgroupfs"
    }

    /// The sidecar's place, found from what it saw.
    pub fn place(&self) -> Place {
        let others = || {
            self.processes("inside")
                .map(|process| self.text("inside", &process.role, "cgroup"))
                .collect()
        };
        let proc_self = ProcSelf {
            cgroup: &self.text("inside", "self", "cgroup"),
            mountinfo: &self.text("inside", "self", "mountinfo"),
            initial_namespace: self.is_in_the_initial_namespace(),
            others: &others,
        };
        proc_self.place().expect("the sidecar is in a pod")
    }

    /// Makes `root` show the processes of these roles, as the sidecar's `/proc` did.
    pub fn show(&self, root: &Path, roles: &[&str]) {
        for shown in directories(root) {
            fs::remove_dir_all(shown).expect("a directory can be removed");
        }
        for process in self.processes("inside") {
            if !roles.contains(&process.role.as_str()) {
                continue;
            }
            let shown = root.join(process.pid.to_string());
            fs::create_dir(&shown).expect("a directory can be made");
            for file in ["cgroup", "stat", "comm", "mountinfo"] {
                // A child's mounts, which are its parent's, were not recorded twice.
                let role = match (process.role.as_str(), file) {
                    ("main-child", "mountinfo") => "main",
                    (role, _) => role,
                };
                let record = self.directory.join("inside").join(role).join(file);
                symlink(record, shown.join(file)).expect("a link can be made");
            }
        }
    }
}

/// The mounts of one container's first process while a runtime makes it, twice: before the runtime
/// pivots into the container's root, and after. The record has three fields of each line.
pub fn half_made() -> [String; 2] {
    let records = Path::new(RECORDS).with_file_name("half-made");
    ["before-pivot.txt", "after-pivot.txt"].map(|name| {
        let text = fs::read_to_string(records.join(name)).expect("both readings are recorded");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(mountinfo_line).collect()
    })
}

/// A container of a real kubelet's pod while runc makes it: its first process's mounts, each time that
/// they had changed, until its program ran.
pub struct InTheMaking {
    pub label: String,
    pub pod_uid: String,
    pub name: String,
    /// While the process was runc's.
    pub runtimes: Vec<String>,
    /// When it was the container's program.
    pub programs: String,
}

/// All recorded containers in the making.
pub fn in_the_making() -> Vec<InTheMaking> {
    let records = Path::new(RECORDS).with_file_name("making");
    directories(&records)
        .iter()
        .map(|directory| InTheMaking::read(directory))
        .collect()
}

impl InTheMaking {
    fn read(directory: &Path) -> Self {
        let read = |path: &Path| fs::read_to_string(path).expect("a record can be read");
        let truth = read(&directory.join("truth"));
        let mut truth = truth.lines().map(str::to_owned);
        let runtimes = (0..)
            .map(|count| directory.join(format!("{count:02}.runtime")))
            .take_while(|path| path.exists());
        Self {
            label: directory.display().to_string(),
            pod_uid: truth.next().expect("the first line is the pod's uid"),
            name: truth.next().expect("the second line is the name"),
            runtimes: runtimes.map(|path| read(&path)).collect(),
            programs: read(&directory.join("program")),
        }
    }
}

/// A line of a record as mountinfo writes it.
pub fn mountinfo_line(record: &str) -> String {
    let [device, root, target] = record.split('\t').collect::<Vec<_>>()[..] else {
        panic!("{record} has three fields");
    };
    let is_proc = root == "/" && target.ends_with("/proc");
    let kind = if is_proc { "proc" } else { "other" };
    format!("9 1 {device} {root} {target} rw - {kind} {kind} rw\n")
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(parent)
        .expect("the records can be listed")
        .map(|entry| entry.expect("an entry can be read").path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}
