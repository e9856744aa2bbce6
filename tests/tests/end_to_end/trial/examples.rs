//! The examples of `docs/container-contract.md` by `copilot run`, unchanged: their outputs are those of the same
//! examples in pods (`privileged/contract.rs`).

use copilot::describe::type_words;
use copilot::idl::LiteralType;
use copilot_tests::binary;
use copilot_tests::contract::{check_outputs, examples, outputs, put_inputs};
use copilot_tests::requirement::Requirement;
use copilot_tests::task::Task;

use super::Desk;

fn check(program: &[&str], code: &str) {
    let task = Task::start().unwrap();
    let desk = Desk::new();
    put_inputs(&task);
    let outputs = outputs("s3://data/task/out/raw");
    let words: Vec<String> = outputs
        .into_iter()
        .flat_map(|(name, kind, _)| {
            let declared = LiteralType {
                r#type: Some(kind),
                ..LiteralType::default()
            };
            [
                "--output".to_owned(),
                format!("{name}:{}", type_words(&declared)),
            ]
        })
        .collect();
    let inputs = task.site.server.file("data", "task/inputs.pb");
    let mut command = desk.copilot();
    command
        .arg("run")
        .args(task.site.server.flags("data"))
        .arg("--inputs")
        .arg(inputs)
        .args(words)
        .args(["--to", "s3://data/task/out", "--"])
        .args(program)
        .arg(code)
        .env("LC_ALL", "C.UTF-8");
    let ended = binary::run(&mut command);
    assert_eq!(
        ended.code(),
        0,
        "{program:?}: {} {}",
        ended.stdout,
        ended.stderr
    );
    assert!(
        ended
            .stdout
            .contains("uploaded: s3://data/task/out/outputs.pb"),
        "{}",
        ended.stdout
    );
    check_outputs(&task, "task/out/raw", program[0]);
}

#[test]
fn every_example_gives_the_outputs_that_it_gives_in_a_pod() {
    let mut run = Vec::new();
    for (language, code) in examples() {
        match language.as_str() {
            "sh" => check(&["sh", "-c"], &code),
            "python" => check(&["python3", "-c"], &code),
            "r" if Requirement::R.is_met() => check(&["Rscript", "-e"], &code),
            "r" => continue,
            other => panic!("{other:?} cannot be run here"),
        }
        run.push(language);
    }
    assert!(
        run.starts_with(&["sh".to_owned(), "python".to_owned()]),
        "{run:?}"
    );
}
