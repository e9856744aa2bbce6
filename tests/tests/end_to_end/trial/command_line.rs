//! The first example, inputs from files, template variables, and wrong command lines.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{Message as _, SimpleType};
use copilot_tests::binary;
use copilot_tests::documents::Document;
use copilot_tests::task::{interface, simple};

use super::{Desk, json};

#[test]
fn the_first_example_works_and_leaves_nothing() {
    let desk = Desk::new();
    let script = "echo $(({{.inputs.x}} * 2)) > /var/outputs/y";
    let ended = desk.script(&["--input", "x=3", "--output", "y:integer"], script);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("outputs\n  y  integer  6\n"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.starts_with("the command exited with code 0"),
        "{}",
        ended.stdout
    );
    assert_eq!(ended.stderr, "");
    assert_eq!(desk.left(), Vec::<std::path::PathBuf>::new());
}

/// As a reader follows it: the lines as they stand, in an empty directory, with no other program but a shell.
#[test]
fn the_first_example_of_the_documents_prints_what_they_say() {
    for name in ["README.md", "docs/try.md"] {
        let document = Document::read(name).unwrap();
        let examples = document.examples("copilot run ");
        let (lines, printed) = examples.first().expect("the document has an example");
        let desk = Desk::new();
        let programs = desk.path("bin");
        fs::create_dir(&programs).unwrap();
        let program = binary::path().canonicalize().unwrap();
        symlink(program, programs.join("copilot")).unwrap();
        symlink("/bin/sh", programs.join("sh")).unwrap();
        let mut shell = Command::new("/bin/sh");
        binary::isolate(&mut shell);
        shell
            .args(["-c", lines])
            .current_dir(desk.place.path())
            .env("TMPDIR", desk.path("tmp"))
            .env("PATH", &programs);
        let ended = binary::run(&mut shell);
        assert_eq!(ended.code(), 0, "{name}: {}", ended.stderr);
        assert_eq!(ended.stderr, "", "{name}");
        assert_eq!(without_time(&ended.stdout), without_time(printed), "{name}");
        assert_eq!(desk.left(), Vec::<PathBuf>::new());
    }
}

/// What a run prints, without the time that its command took.
fn without_time(printed: &str) -> String {
    let cut = |line: &str| match line.split_once(" after ") {
        Some((begin, _)) => begin.to_owned(),
        None => line.to_owned(),
    };
    printed.lines().map(cut).collect::<Vec<_>>().join("\n")
}

#[test]
fn inputs_are_laid_out_as_in_a_pod() {
    let desk = Desk::new();
    desk.write("table.csv", "a\nb\n");
    desk.write("folder/deep/file", "c");
    let script = "set -e; cd /var/inputs; wc -l < table > /var/outputs/lines
        cat folder/deep/file words/1 options inputs.json > /var/outputs/all";
    let ended = desk.script(
        &[
            "--input",
            "table=@table.csv",
            "--input",
            "folder=@folder/",
            "--input",
            "words=[\"x\", \"y\"]",
            "--input",
            "options={\"a\": 1}",
            "--output",
            "lines:int",
            "--output",
            "all:string",
            "--json",
        ],
        script,
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let result = json(&ended);
    assert_eq!(result["outputs"]["values"]["lines"], 2);
    let all = result["outputs"]["values"]["all"].as_str().unwrap();
    assert!(all.starts_with("cy{\"a\":1}{\"folder\":\"/"), "{all}");
    assert_eq!(result["exit_code"], 0);
    assert_eq!(result["problems"], serde_json::json!([]));
}

#[test]
fn inputs_and_types_come_from_files_of_each_form() {
    let desk = Desk::new();
    desk.write("inputs.json", "{\"x\": 3, \"name\": \"Ann\"}");
    desk.write("inputs.yaml", "x: 3\nname: Ann\n");
    let made = desk
        .copilot()
        .args(["make", "--from", "inputs.json", "--to", "inputs.pb"])
        .output();
    assert!(made.unwrap().status.success());
    let declared = interface([("y", simple(SimpleType::Float))]);
    desk.write("interface.pb", declared.encode_to_vec());
    desk.write("interface.yaml", "kind: interface\noutputs:\n  y: float\n");
    let base64 = BASE64_STANDARD.encode(declared.encode_to_vec());
    let script = "echo {{.inputs.name}}; cat /var/inputs/x > /var/outputs/y";
    for inputs in ["inputs.json", "inputs.yaml", "inputs.pb"] {
        let ended = desk.script(&["--inputs", inputs, "--output", "y:float"], script);
        assert_eq!(ended.code(), 0, "{inputs}: {}", ended.stderr);
        assert!(
            ended.stdout.starts_with("Ann\n"),
            "{inputs}: {}",
            ended.stdout
        );
        assert!(
            ended.stdout.contains("y  float  3\n"),
            "{inputs}: {}",
            ended.stdout
        );
    }
    for types in ["interface.pb", "interface.yaml", &base64] {
        // The interface has no inputs, so that none may be given.
        let words = ["--interface", types];
        let ended = desk.script(&words, "echo 1 > /var/outputs/y");
        assert_eq!(ended.code(), 0, "{types}: {}", ended.stderr);
        assert!(
            ended.stdout.contains("y  float  1\n"),
            "{types}: {}",
            ended.stdout
        );
        let ended = desk.script(&[&words[..], &["--input", "x=3"]].concat(), "true");
        assert_eq!(ended.code(), 1, "{types}");
        assert!(ended.message().contains("no input x"), "{}", ended.stderr);
    }
}

#[test]
fn the_platforms_variables_name_what_is_here() {
    let desk = Desk::new();
    desk.write("data.txt", "hello");
    let script = "set -e; cat {{ .Inputs.data }} > /var/outputs/data
        test -s {{.input}} && test -s {{ $inputPREFIX }}/inputs.json && test -d {{.OutputPrefix}}
        echo {{.inputs.list}} {{.perRetryUniqueKey}} > /var/outputs/words";
    let words = ["--input", "data=@data.txt", "--input", "list=[1, 2]"];
    let outputs = ["--output", "data:string", "--output", "words:string"];
    let ended = desk.script(&[words, outputs].concat(), script);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("data   string  \"hello\""),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("\"[1,2] copilot_run_"),
        "{}",
        ended.stdout
    );
}

#[test]
fn wrong_command_lines_say_what_to_do() {
    let desk = Desk::new();
    desk.write("text", "abc");
    for (words, code, says) in [
        (&[][..], 2, "write it behind --"),
        (&["./train.sh"], 2, "the command stands behind --"),
        (&["--input", "x", "--", "true"], 2, "NAME=VALUE"),
        (
            &["--output", "y:integr", "--", "true"],
            2,
            "\"integr\" is unknown",
        ),
        (
            &["--output", "y:int=3", "--", "true"],
            1,
            "the command writes the value",
        ),
        (
            &["--input", "x=@nothing", "--", "true"],
            1,
            "x: nothing cannot be read",
        ),
        (
            &["--input", "x:int=a", "--", "true"],
            1,
            "not a valid integer",
        ),
        (
            &["--inputs", "nothing", "--", "true"],
            1,
            "--inputs: nothing cannot be read",
        ),
        (&["--interface", "text", "--", "true"], 1, "--interface: "),
        (
            &["--interface", "!", "--", "true"],
            1,
            "neither a file that exists",
        ),
        (
            &["--", "echo", "{{.inputs.x}}"],
            1,
            "the task has no input x",
        ),
        (
            &["--", "no-such-program"],
            1,
            "a program of this directory is",
        ),
        (&["--", "./text"], 1, "chmod +x"),
        (&["--format", "json", "--", "true"], 2, "did you mean JSON?"),
        (
            &["--input-data-dir", "in", "--", "true"],
            2,
            "absolute path",
        ),
        (&["--to", "s3://b/a#b", "--", "true"], 1, "`#`"),
        (&["--check", ".", "--", "true"], 2, "--check runs nothing"),
        (&["--check", "."], 2, "--output"),
        (&["--to", "results", "--", "true"], 1, "declares no outputs"),
    ] {
        let ended = desk.run(words);
        assert_eq!(ended.code(), code, "{words:?}: {}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.contains(says), "{words:?}: {last}");
        assert_eq!(ended.stdout, "", "{words:?}");
    }
    assert_eq!(desk.left(), Vec::<std::path::PathBuf>::new());
}
