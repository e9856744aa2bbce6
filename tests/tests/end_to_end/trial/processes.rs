//! The process that the command becomes: what it inherits, and where it runs.

use std::fs;
use std::path::Path;

use super::{Desk, json};

fn status_of_us(name: &str) -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name));
    line.unwrap().to_owned()
}

/// We give up rights, ignore a signal, and read nothing from outside; a program must not inherit that.
#[test]
fn the_command_inherits_what_we_had() {
    let desk = Desk::new();
    let script = "grep NoNewPrivs /proc/self/status > /var/outputs/privs
        grep SigIgn /proc/self/status > /var/outputs/ignored
        cat > /var/outputs/stdin; ulimit -c > /var/outputs/core; pwd > /var/outputs/pwd";
    let words = ["privs", "ignored", "stdin", "core", "pwd"];
    let words: Vec<String> = words
        .iter()
        .map(|name| format!("--output={name}:string"))
        .collect();
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.push("--json");
    let ended = desk.script(&words, script);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let result = json(&ended);
    let value = |name: &str| {
        result["outputs"]["values"][name]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(value("privs"), status_of_us("NoNewPrivs"));
    let ignored = value("ignored");
    let ignored = u64::from_str_radix(ignored.rsplit('\t').next().unwrap(), 16).unwrap();
    let file_size = 25;
    assert_eq!(ignored >> (file_size - 1) & 1, 0, "SIGXFSZ is not ignored");
    assert_eq!(value("stdin"), "");
    assert_eq!(
        value("pwd"),
        desk.place
            .path()
            .canonicalize()
            .unwrap()
            .display()
            .to_string()
    );
    assert_ne!(value("core"), "", "the limit of cores is readable");
}

/// Where we may make a cgroup, the command has one of its own, and it is gone afterwards. Elsewhere it has a process
/// group.
#[test]
fn the_command_runs_in_a_cgroup_of_its_own_or_in_a_process_group() {
    let desk = Desk::new();
    let script = "grep ^0:: /proc/self/cgroup > /var/outputs/cgroup || true
        cut -d ' ' -f 5 /proc/$$/stat > /var/outputs/group; echo $$ > /var/outputs/pid
        touch /var/outputs/cgroup";
    let words = [
        "--output=cgroup:string",
        "--output=group:int",
        "--output=pid:int",
        "--json",
    ];
    let ended = desk.script(&words, script);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let values = json(&ended)["outputs"]["values"].clone();
    assert_eq!(values["group"], values["pid"]);
    let cgroup = values["cgroup"].as_str().unwrap().trim_start_matches("0::");
    println!("the command's cgroup: {cgroup}");
    if let Some(own) = cgroup.strip_suffix("/main") {
        assert!(own.contains("copilot-run-"), "{cgroup}");
        for mount in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
            assert!(
                !Path::new(&format!("{mount}{own}")).exists(),
                "{own} is left"
            );
        }
    }
}
