//! Each example of `docs/container-contract.md` as the main program of a task: it reads the files of the
//! download, and the sidecar commits its files; the values are the same in every language.

use std::fs;
use std::process::Command;

use copilot_tests::binary::{self, isolate};
use copilot_tests::contract::{check_outputs, examples, outputs, put_inputs};
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{RAW, Task, interface};

/// Runs an example between the two containers of a task.
fn check(program: &str, code: &str) {
    let task = Task::start().expect("a server starts");
    put_inputs(&task);
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);

    let code = code
        .replace("/var/inputs", &task.inputs_dir().to_string_lossy())
        .replace("/var/outputs", &task.outputs_dir().to_string_lossy());
    let script = task.site.work("example");
    fs::write(&script, code).expect("a script can be written");
    let mut main = Command::new(program);
    isolate(&mut main);
    let ended = binary::run(main.arg(&script).env("LC_ALL", "C.UTF-8"));
    assert_eq!(ended.code(), 0, "{program}: {}", ended.stderr);
    assert_eq!(ended.stderr, "", "{program}");

    let outputs = outputs(RAW);
    let types = outputs.iter().map(|(name, kind, _)| (*name, kind.clone()));
    let ended = binary::run(&mut task.sidecar(&interface(types)));
    assert_eq!(ended.code(), 0, "{program}: {}", ended.stderr);
    check_outputs(&task, "task/raw", program);
}

#[test]
fn every_example() {
    let mut run = Vec::new();
    for (language, code) in examples() {
        match language.as_str() {
            "sh" => check("sh", &code),
            "python" => check("python3", &code),
            "r" if Requirement::R.is_met() => check("Rscript", &code),
            "r" => continue,
            other => panic!("{other:?} cannot be run here"),
        }
        run.push(language);
    }
    println!("examples run: {run:?}");
    assert!(run.starts_with(&["sh".to_owned(), "python".to_owned()]));
}
