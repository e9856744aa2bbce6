//! What main can read of a waiting sidecar, which holds the keys of the store: as root with the capabilities of an
//! ordinary container, as the sidecar's own user, as another one. And what the sidecar may still do itself.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use copilot::idl::SimpleType;
use copilot_tests::binary::{self, Running};
use copilot_tests::fixture::CgroupFixture;
use copilot_tests::requirement::{NOBODY, Requirement};
use copilot_tests::task::{interface, simple};
use rustix::process::Signal;

/// What a container gets that asks for nothing: no `CAP_SYS_PTRACE`.
const OF_A_CONTAINER: [&str; 3] = [
    "setpriv",
    "--bounding-set=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,\
     +net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap",
    "--inh-caps=-all",
];
const WITHOUT: [&str; 3] = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
const BPF: [&str; 3] = [
    "setpriv",
    "--bounding-set=-all,+bpf,+perfmon",
    "--inh-caps=-all",
];

/// The secrets: in a variable, on the command line in each of its forms, in a file.
const SECRETS: [&str; 5] = [
    "SecretInVariable",
    "SecretInPair",
    "SecretAfterEquals",
    "SecretOfConnection",
    "SecretInFile",
];

/// The same as `SECRETS`, as the sidecar gets them.
fn give_secrets(command: &mut Command, directory: &Path) {
    let file = directory.join("storage.yaml");
    fs::write(
        &file,
        "storage: {defaultHttpClient: {headers: {x-key: SecretInFile}}}\n",
    )
    .unwrap();
    command
        .env("AWS_SECRET_ACCESS_KEY", "SecretInVariable")
        .args(["--storage.container", "b"])
        .args(["--config", file.to_str().unwrap()])
        .args([
            "--storage.stow.config",
            "secret_key=SecretInPair,auth_type=accesskey",
        ])
        .args(["--storage.stow.config=access_key_id=AKIA,secret_key=SecretAfterEquals"])
        .args(["--storage.stow.config", "endpoint=http://127.0.0.1:9"])
        .args(["--storage.connection.secret-key", "SecretOfConnection"])
        .args(["--token", "SecretOfConnection"]);
}

/// A command that runs through these words.
fn through(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    binary::isolate(&mut command);
    command.args(&words[1..]);
    command
}

fn as_nobody() -> Vec<&'static str> {
    ["setpriv"].into_iter().chain(NOBODY).collect()
}

/// A waiting sidecar with secrets.
fn sidecar(words: &[&str], directory: &Path, program: &Path) -> Running {
    let mut command = through(words);
    command.arg(program);
    give_secrets(&mut command, directory);
    command
        .args(["sidecar", "--watcher", "signal", "--termination-log", ""])
        .args([
            "-o",
            "s3://b/out",
            "-x",
            "s3://b/raw",
            "-i",
            "EgsKCQoBbxIECgIIAw==",
        ])
        .arg("-f")
        .arg(directory);
    let mut running = Running::start(&mut command);
    running.watches();
    running
}

/// What a reader with these rights gets of a process: the files that it could open, and all their bytes.
fn read(words: &[&str], pid: u32) -> (Vec<String>, Vec<u8>) {
    let script = format!(
        "cd /proc/{pid} || exit 1; \
         for file in environ auxv maps smaps pagemap mem syscall stack io root/etc/passwd cwd/storage.yaml; do \
           if head -c 65536 $file; then echo \"opened $file\" >&3; fi; \
         done; \
         for link in root cwd exe ns/net fd/0; do \
           if readlink $link; then echo \"opened $link\" >&3; fi; \
         done; \
         for file in fd/*; do \
           if [ -e $file ] || readlink $file; then echo \"opened $file\" >&3; fi; \
         done; \
         cat cmdline"
    );
    let out = tempfile::NamedTempFile::new().unwrap();
    let opened = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("/bin/sh");
    command.args([
        "-c",
        "out=$1; opened=$2; shift 2; exec \"$@\" > \"$out\" 3> \"$opened\" 2>/dev/null",
    ]);
    command.args([
        "sh",
        out.path().to_str().unwrap(),
        opened.path().to_str().unwrap(),
    ]);
    command.args(words).args(["/bin/sh", "-c", &script]);
    let _ = command.status().unwrap();
    let opened = fs::read_to_string(opened.path()).unwrap();
    let opened = opened.lines().map(str::to_owned).collect();
    (opened, fs::read(out.path()).unwrap())
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn main_reads_nothing_of_a_waiting_sidecar() {
    if !Requirement::Root.is_met() {
        return;
    }
    let nobody = as_nobody();
    let no_change = ["env"];
    for (side, main) in [
        (&WITHOUT[..], &OF_A_CONTAINER[..]),
        (&BPF, &OF_A_CONTAINER),
        (&OF_A_CONTAINER, &OF_A_CONTAINER),
        (&nobody, &nobody),
        (&WITHOUT, &nobody),
        (&nobody, &OF_A_CONTAINER),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(directory.path(), open).unwrap();
        let program = directory.path().join("copilot");
        binary::place(&binary::path(), &program).unwrap();
        let running = sidecar(side, directory.path(), &program);
        let (opened, bytes) = read(main, running.id());
        assert!(opened.is_empty(), "{side:?} before {main:?}: {opened:?}");
        assert!(
            contains(&bytes, "--storage.stow.config"),
            "the command line is there"
        );
        for secret in SECRETS {
            assert!(
                !contains(&bytes, secret),
                "{side:?} before {main:?}: {secret}"
            );
        }
        // What a debugger of the node may do shows that the reader reads.
        let (opened, _) = read(&no_change, running.id());
        assert!(
            opened.iter().any(|line| line == "opened environ"),
            "{opened:?}"
        );
    }
}

#[test]
fn the_command_line_still_says_what_runs() {
    if !Requirement::Root.is_met() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let running = sidecar(&["env"], directory.path(), &binary::path());
    let line = fs::read(format!("/proc/{}/cmdline", running.id())).unwrap();
    let words: Vec<String> = line
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    for word in [
        "secret_key=************,auth_type=accesskey",
        "--storage.stow.config=access_key_id=****,secret_key=*****************",
        "endpoint=http://127.0.0.1:9",
        "******************",
        "sidecar",
        "s3://b/out",
    ] {
        assert!(words.iter().any(|other| other == word), "{word}: {words:?}");
    }
}

#[test]
fn a_signal_that_dumps_core_leaves_no_core() {
    if !Requirement::Root.is_met() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let through = ["/bin/sh", "-c", "ulimit -c unlimited; exec \"$0\" \"$@\""];
    // Not SIGQUIT: a shell lets what it starts in the background ignore that one, and so does what that starts.
    for signal in [Signal::ABORT, Signal::TRAP] {
        let running = sidecar(&through, directory.path(), &binary::path());
        running.signal(signal);
        let ended = running.ended();
        assert_eq!(
            ended.status.signal(),
            Some(signal.as_raw()),
            "{}",
            ended.stderr
        );
        assert!(!ended.status.core_dumped(), "{signal:?}");
    }
}

/// The lines of `/proc/PID/status` that say what a process may do.
fn state(pid: u32) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let names = ["Cap", "NoNewPrivs", "Seccomp:"];
    let lines = status.lines();
    let lines = lines.filter(|line| names.iter().any(|name| line.starts_with(name)));
    lines.collect::<Vec<_>>().join("\n")
}

/// The capabilities in a line of `state`.
fn set(state: &str, name: &str) -> u64 {
    let line = state
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap();
    u64::from_str_radix(line.trim_start_matches(':').trim(), 16).unwrap()
}

const DAC_OVERRIDE: u64 = 1 << 1;
const DAC_READ_SEARCH: u64 = 1 << 2;
const SYS_PTRACE: u64 = 1 << 19;

#[test]
fn a_waiting_sidecar_keeps_only_what_it_needs_and_still_sees_how_main_ends() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let files = DAC_OVERRIDE | DAC_READ_SEARCH;
    for (words, watcher, permitted) in [
        (&[][..], "ebpf", files),
        (&BPF, "ebpf", 0),
        (&WITHOUT, "pidfd", 0),
        // It looks into main's processes to tell who killed main.
        (&[], "pidfd", files | SYS_PTRACE),
    ] {
        let fixture = CgroupFixture::create();
        let outputs = interface([("word", simple(SimpleType::String))]);
        let words: Vec<&str> = words
            .iter()
            .map(|word| {
                if *word == "setpriv" {
                    "/usr/bin/setpriv"
                } else {
                    *word
                }
            })
            .collect();
        let option = format!("--watcher={watcher}");
        let command = fixture.sidecar_through(&words, &outputs, &[&option]);
        let fixture = fixture.run(command);
        fixture.sidecar.says("\"seccomp\"");
        let state = state(fixture.sidecar.id());
        println!("{watcher} {words:?}\n{state}");
        assert_eq!(set(&state, "CapEff") & !files, 0, "{state}");
        assert_eq!(set(&state, "CapPrm") & !permitted, 0, "{state}");
        for none in ["CapInh", "CapAmb"] {
            assert_eq!(set(&state, none), 0, "{state}");
        }
        assert!(words.len() > 1 || set(&state, "CapBnd") == 0, "{state}");
        assert!(state.contains("NoNewPrivs:\t1"), "{state}");
        assert!(state.contains("Seccomp:\t2"), "{state}");
        let main = fixture.main("while [ ! -e $out/go ]; do sleep 0.02; done; exit 7");
        fixture.sidecar.says("main started");
        fixture.task.write_output("go", "");
        let _ = main.ended();
        let outcome = fixture.outcome();
        outcome.assert_watched(watcher, "exited with code 7");
        outcome.assert_logged(&["\"capabilities\"", "\"seccomp\"", "Landlock"]);
    }
}
