//! Tables: one fact is changed, and one finding changes with it.

use std::path::PathBuf;

use super::*;
use crate::config::{SettingSource, ShownSetting};
use crate::confine::Foretold;
use crate::confine::capabilities::HeldCapabilities;
use crate::doctor::facts::*;
use crate::doctor::{Diagnosis, Group, Verdict};
use crate::store::StoreError;
use crate::track::decision::Sight;
use crate::track::watch::Glance;
use crate::transfer::{Room, TransferLimits};

const MIB: u64 = 1 << 20;

fn reason<T>(text: &str) -> Result<T, Reason> {
    Err(Reason(text.to_owned()))
}

/// Capabilities that are enough.
const NAMES: &str = "DAC_READ_SEARCH+PERFMON+BPF";

fn rights() -> RightsFacts {
    RightsFacts {
        uid: 0,
        foretold: Ok(Foretold {
            capabilities: HeldCapabilities {
                effective: NAMES.to_owned(),
                permitted: NAMES.to_owned(),
                later: "DAC_READ_SEARCH".to_owned(),
                later_permitted: "DAC_READ_SEARCH".to_owned(),
            },
            landlock_abi: Some(6),
            landlock_obstacle: None,
        }),
        is_filtered: true,
        bpf_reaches_kernel: true,
    }
}

fn place() -> PlaceFacts {
    PlaceFacts {
        pids: PidNamespace::Own,
        hides_processes: false,
        own_path: "/kubepods/pod1/c1".to_owned(),
        pod: Ok(PodFacts {
            path: "/kubepods/pod1".to_owned(),
            cgroups: CgroupVersion::Two,
            uid: Some("1".to_owned()),
            container: Some("flyte-copilot-uploader".to_owned()),
            is_hidden: false,
        }),
        is_in_a_cluster: true,
        host_name: "task-n0-0".to_owned(),
    }
}

fn watching() -> WatchingFacts {
    WatchingFacts {
        wanted: vec!["auto"],
        tried: vec![
            WatcherFacts {
                name: "ebpf",
                outcome: Ok(Sight::Knows),
            },
            WatcherFacts {
                name: "pidfd",
                outcome: reason("pids are not shared"),
            },
        ],
        glance: Ok(Glance {
            watcher: "ebpf".to_owned(),
            reason: "the preferred watcher works here".to_owned(),
            main: Some((vec!["task-n0-0".to_owned()], "named".to_owned())),
            is_certain: true,
            containers: vec!["task-n0-0".to_owned()],
        }),
        main_container: None,
    }
}

/// A sidecar where all is well.
fn well() -> Facts {
    let room = Room {
        kind: "ext4".to_owned(),
        mount: PathBuf::from("/out"),
        left: 500 * MIB,
        size: 1000 * MIB,
        files_left: 1000,
        in_memory: false,
    };
    let volume = |purpose, path: &str| VolumeFacts {
        purpose,
        path: PathBuf::from(path),
        directory: Ok(DirectoryFacts {
            room: room.clone(),
            is_volume: Some(true),
            access: Ok(()),
            fits: None,
        }),
    };
    Facts {
        kernel: KernelFacts {
            release: "6.12.0".to_owned(),
            has_ring_buffers: true,
            has_ancestor_helper: true,
            btf: Ok(true),
            security_modules: Some("landlock,apparmor".to_owned()),
            label: None,
        },
        rights: rights(),
        place: place(),
        watching: watching(),
        limits: LimitFacts {
            memory: Some(128 * MIB),
            cpu: Some(500),
            open_files: Some(1 << 20),
            transfer: TransferLimits::within(Some(128 * MIB)),
        },
        volumes: vec![
            volume(Purpose::Outputs, "/out"),
            volume(Purpose::Inputs, "/in"),
        ],
        settings: Ok(SettingFacts {
            files: vec![PathBuf::from("/etc/flyte/config/config.yaml")],
            warnings: Vec::new(),
            values: vec![ShownSetting {
                name: "storage.stow.config.secret_key".to_owned(),
                value: "(hidden)".to_owned(),
                source: SettingSource::Environment("STORAGE_STOW_CONFIG".to_owned()),
            }],
        }),
        stores: vec![StoreFacts {
            flag: "--to-output-prefix",
            reference: "s3://b/o".to_owned(),
            store: Ok(AnswerFacts {
                endpoint: "http://store:9000".to_owned(),
                object: "s3://b/o/outputs.pb".to_owned(),
                exists: Ok(false),
                clock_ahead: Some(0),
                probe: vec![ProbeStep {
                    name: "write",
                    object: "s3://b/o/copilot-doctor-1".to_owned(),
                    outcome: Ok(()),
                }],
            }),
        }],
        probed: true,
    }
}

#[test]
fn where_all_is_well_nothing_is_worse() {
    let diagnosis = Diagnosis::new(judge(&well()));
    assert_eq!(diagnosis.verdict(), Verdict::Ok, "{}", diagnosis.text());
    let text = diagnosis.text();
    for words in [
        "storage.stow.config.secret_key: (hidden) (from environment variable STORAGE_STOW_CONFIG)",
        "of this container alone, which ebpf does not mind",
        "driver cgroupfs",
        "ABI 6",
        "32.0 MiB for data in flight, 256 connections at most",
        "task-n0-0 (named; certain)",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// What changes, the group and the beginning of the subject, the verdict, words of the line.
type Row = (
    &'static str,
    fn(&mut Facts),
    Group,
    &'static str,
    Verdict,
    &'static [&'static str],
);

fn without_ebpf(facts: &mut Facts) {
    facts.watching.tried[0].outcome = reason("the kernel refuses BPF");
    let glance = facts.watching.glance.as_mut().unwrap();
    glance.watcher = "signal".to_owned();
    glance.main = None;
    glance.containers.clear();
}

fn without_capabilities(facts: &mut Facts) {
    without_ebpf(facts);
    facts.rights.bpf_reaches_kernel = false;
    let foretold = facts.rights.foretold.as_mut().unwrap();
    foretold.capabilities.effective = "none".to_owned();
}

fn answer(facts: &mut Facts) -> &mut AnswerFacts {
    facts.stores[0].store.as_mut().unwrap()
}

fn outputs(facts: &mut Facts) -> &mut DirectoryFacts {
    facts.volumes[0].directory.as_mut().unwrap()
}

fn inputs(facts: &mut Facts) -> &mut DirectoryFacts {
    facts.volumes[1].directory.as_mut().unwrap()
}

fn pod(facts: &mut Facts) -> &mut PodFacts {
    facts.place.pod.as_mut().unwrap()
}

fn denied() -> StoreError {
    StoreError::Denied {
        location: crate::store::Location {
            object: "s3://b/o".to_owned(),
            store: "http://store:9000".to_owned(),
            service: &crate::store::StoreService {
                name: "S3",
                identity: "auth_type, access_key_id and secret_key",
            },
            is_web: false,
        },
        cause: "HTTP 403".into(),
        advice: "Grant it".to_owned(),
    }
}

#[rustfmt::skip]
const ENVIRONMENT: &[Row] = &[
    ("an old kernel", |f| f.kernel.has_ring_buffers = false,
        Group::Kernel, "version", Verdict::Degraded, &["older than 5.8", "Linux 5.8 or newer"]),
    ("no BTF", |f| f.kernel.btf = reason("/sys/kernel/btf/vmlinux cannot be read"),
        Group::Kernel, "BTF", Verdict::Degraded, &["cannot be read", "no exit status", "CONFIG_DEBUG_INFO_BTF"]),
    ("no BTF with cgroup v1", |f| {
            f.kernel.btf = reason("hidden");
            pod(f).cgroups = CgroupVersion::One(vec!["memory".to_owned()]);
        },
        Group::Kernel, "BTF", Verdict::Degraded, &["ebpf does not work"]),
    ("no capabilities", without_capabilities,
        Group::Rights, "capabilities", Verdict::Degraded, &["BPF and PERFMON are missing", "runAsUser: 0"]),
    ("a filter whose effect is not known", without_capabilities,
        Group::Rights, "seccomp", Verdict::NotChecked, &["only with the capabilities"]),
    ("a filter that refuses bpf", |f| { without_ebpf(f); f.rights.bpf_reaches_kernel = false; },
        Group::Rights, "seccomp", Verdict::Degraded, &["refuses bpf", "RuntimeDefault"]),
    ("foreign files", without_capabilities,
        Group::Rights, "files of other users", Verdict::Degraded, &["DAC_READ_SEARCH", "uid 0"]),
    ("no Landlock", |f| {
            let foretold = f.rights.foretold.as_mut().unwrap();
            foretold.landlock_abi = None;
            foretold.landlock_obstacle = Some("the kernel has no Landlock".to_owned());
        },
        Group::Rights, "Landlock", Verdict::Ok, &["the kernel has none", "will not be in force"]),
    ("pids of our own", without_ebpf,
        Group::Place, "pid namespace", Verdict::Degraded, &["of this container alone", "shareProcessNamespace"]),
    ("a hidden /proc", |f| f.place.hides_processes = true,
        Group::Place, "/proc", Verdict::Degraded, &["hidepid"]),
    ("a hidden /proc without ebpf", |f| { without_ebpf(f); f.place.hides_processes = true; },
        Group::Place, "/proc", Verdict::Degraded, &["pidfd and proc do not work"]),
    ("no pod", |f| f.place.pod = reason("our own cgroup / does not belong to a pod"),
        Group::Place, "pod", Verdict::Degraded, &["does not belong", "only SIGTERM"]),
    ("one cgroup for all", |f| pod(f).cgroups = CgroupVersion::One(Vec::new()),
        Group::Place, "cgroups", Verdict::Degraded, &["share it", "ebpf does not work"]),
    ("an unknown pod", |f| pod(f).is_hidden = true,
        Group::Place, "pod", Verdict::Degraded, &["--pod-cgroup"]),
    ("no watcher", without_ebpf,
        Group::Watching, "selected", Verdict::Degraded, &["signal", "SIGTERM", "shareProcessNamespace"]),
    ("a reason", without_ebpf,
        Group::Watching, "ebpf", Verdict::Degraded, &["the kernel refuses BPF"]),
    ("no main yet", without_ebpf,
        Group::Watching, "main", Verdict::NotChecked, &["task-n0-0 or primary"]),
    ("watchers without a pod", |f| {
            f.place.pod = reason("no pod");
            f.watching.tried.iter_mut().for_each(|tried| tried.outcome = reason("no pod"));
        },
        Group::Watching, "ebpf, pidfd", Verdict::NotChecked, &["without the pod"]),
    ("a watcher that was named", |f| f.watching.glance = reason("--watcher ebpf does not work here"),
        Group::Watching, "selected", Verdict::Fails, &["does not work here"]),
    ("a wrong name", |f| {
            f.watching.main_container = Some("mian".to_owned());
            f.watching.glance.as_mut().unwrap().main = None;
        },
        Group::Watching, "main", Verdict::Degraded, &["none of the containers is mian", "containers seen: task-n0-0"]),
    ("no status", |f| f.watching.tried[0].outcome = Ok(Sight::Sees),
        Group::Watching, "ebpf", Verdict::Degraded, &["learns no exit status", "outputs decide"]),
];

#[rustfmt::skip]
const DATA: &[Row] = &[
    ("little memory", |f| f.limits.memory = Some(20 * MIB),
        Group::Limits, "memory", Verdict::Degraded, &["20.0 MiB", "OOM killer"]),
    ("too much in flight", |f| f.limits.transfer.memory = 100 * MIB,
        Group::Limits, "transfers", Verdict::Degraded, &["--max-memory"]),
    ("little CPU time", |f| f.limits.cpu = Some(50),
        Group::Limits, "CPU time", Verdict::Degraded, &["50m"]),
    ("few files", |f| f.limits.open_files = Some(100),
        Group::Limits, "open files", Verdict::Degraded, &["--max-connections"]),
    ("no directory", |f| f.volumes[0].directory = reason("No such file or directory"),
        Group::Volumes, "--from-local-dir /out", Verdict::Fails, &["No such file", "mount the volume"]),
    ("no volume", |f| outputs(f).is_volume = Some(false),
        Group::Volumes, "--from-local-dir /out", Verdict::Fails, &["no volume is mounted", "every output is missing"]),
    ("not ours", |f| inputs(f).access = reason("we may not write to it"),
        Group::Volumes, "--to-local-dir /in", Verdict::Fails, &["may not write"]),
    ("too small", |f| inputs(f).fits = Some((MIB, reason("the tmpfs at /in has 64 KiB left"))),
        Group::Volumes, "room of --to-local-dir /in", Verdict::Fails, &["1.00 MiB do not fit", "the tmpfs at /in"]),
    ("large enough", |f| inputs(f).fits = Some((MIB, Ok(()))),
        Group::Volumes, "room of --to-local-dir /in", Verdict::Ok, &["1.00 MiB fit"]),
    ("full", |f| { let room = &mut outputs(f).room; room.left = 0; room.in_memory = true; },
        Group::Volumes, "room of --from-local-dir /out", Verdict::Fails, &["0 bytes left", "sizeLimit"]),
    ("wrong settings", |f| f.settings = reason("storage.s3.sign-payload: it must be auto"),
        Group::Settings, "settings", Verdict::Fails, &["sign-payload"]),
    ("settings that nothing can be asked with", |f| { f.settings = reason("wrong"); f.stores.clear(); },
        Group::Stores, "store", Verdict::NotChecked, &["the settings cannot be used"]),
    ("an odd setting", |f| f.settings.as_mut().unwrap().warnings.push("unknown key x".to_owned()),
        Group::Settings, "warning", Verdict::Degraded, &["unknown key x"]),
    ("a store that is not set up", |f| f.stores[0].store = reason("the store is not set up"),
        Group::Stores, "--to-output-prefix s3://b/o", Verdict::Fails, &["not set up"]),
    ("an earlier run", |f| answer(f).exists = Ok(true),
        Group::Stores, "--to-output-prefix s3://b/o", Verdict::Ok, &["of an earlier run"]),
    ("write only", |f| answer(f).exists = Err(denied()),
        Group::Stores, "--to-output-prefix s3://b/o", Verdict::Degraded, &["access denied", "--probe"]),
    ("no inputs", |f| { f.stores[0].flag = "--from-remote"; answer(f).exists = Ok(false); },
        Group::Stores, "--from-remote s3://b/o", Verdict::Fails, &["does not exist"]),
    ("inputs that are not ours", |f| { f.stores[0].flag = "--from-remote"; answer(f).exists = Err(denied()); },
        Group::Stores, "--from-remote s3://b/o", Verdict::Fails, &["access denied"]),
    ("an hour ahead", |f| answer(f).clock_ahead = Some(3600),
        Group::Stores, "clock of http://store:9000", Verdict::Fails, &["3600 s ahead", "NTP"]),
    ("two minutes behind", |f| answer(f).clock_ahead = Some(-120),
        Group::Stores, "clock of http://store:9000", Verdict::Degraded, &["120 s behind"]),
    ("no time", |f| answer(f).clock_ahead = None,
        Group::Stores, "clock of http://store:9000", Verdict::NotChecked, &["does not tell"]),
    ("no write", |f| answer(f).probe[0].outcome = reason("access denied"),
        Group::Stores, "probe: write", Verdict::Fails, &["access denied", "no output"]),
    ("no delete", |f| {
            let probe = &mut answer(f).probe;
            probe[0].name = "delete";
            probe[0].outcome = reason("access denied");
        },
        Group::Stores, "probe: delete", Verdict::Degraded, &["stays there"]),
    ("no store", |f| f.stores.clear(),
        Group::Stores, "store", Verdict::NotChecked, &["--to-output-prefix"]),
];

#[test]
fn each_fact_that_is_wrong_is_named_with_its_cost_and_remedy() {
    for (what, change, group, subject, verdict, words) in ENVIRONMENT.iter().chain(DATA) {
        let mut facts = well();
        change(&mut facts);
        let diagnosis = Diagnosis::new(judge(&facts));
        let text = diagnosis.text();
        let found = diagnosis.findings().iter().find(|finding| {
            finding.group == *group
                && finding.subject.starts_with(subject)
                && finding.verdict == *verdict
        });
        let found = found.unwrap_or_else(|| panic!("{what}: no {verdict:?} {subject}: {text}"));
        let line = format!("{} {:?} {:?}", found.found, found.cost, found.remedy);
        for word in *words {
            assert!(line.contains(word), "{what}: {word}: {line}");
        }
        // The line says what it means.
        if *verdict == Verdict::Degraded {
            assert!(
                found.cost.is_some() || *subject == "warning",
                "{what}: {line}"
            );
        }
    }
}
