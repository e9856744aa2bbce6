//! `copilot inspect` shows what `copilot make` makes.

use std::fs;
use std::process::Command;

use copilot::idl::{
    ContainerError, ErrorDocument, Literal, LiteralMap, Message as _, SimpleType,
    decode_literal_map, decode_typed_interface, primitive, scalar,
};
use copilot_tests::binary::{self, Ended};
use copilot_tests::task::{Task, interface, simple};
use copilot_tests::values::{integer, text};

use super::{Desk, content};

fn inspect(desk: &Desk, words: &[&str]) -> Ended {
    binary::run(desk.copilot().arg("inspect").args(words))
}

fn make(desk: &Desk, words: &[&str]) -> Ended {
    binary::run(desk.copilot().arg("make").args(words))
}

fn with(command: &mut Command, words: &[&str]) -> Ended {
    binary::run(command.args(words))
}

#[test]
fn inputs_are_made_of_words_and_shown_in_words() {
    let desk = Desk::new();
    desk.write("table.csv", "a\n");
    let words = [
        "x=3",
        "name:string=7",
        "data=@table.csv",
        "--to",
        "inputs.pb",
    ];
    let ended = make(&desk, &words);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    let made = decode_literal_map(&fs::read(desk.path("inputs.pb")).unwrap()[..]).unwrap();
    assert_eq!(made.literals["x"], integer(3));
    assert_eq!(made.literals["name"], text("7"));
    let ended = inspect(&desk, &["inputs.pb"]);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "3 values");
    assert!(
        lines[1].starts_with("  data  file     \"file:///"),
        "{}",
        lines[1]
    );
    assert_eq!(lines[2], "  name  string   \"7\"");
    assert_eq!(lines[3], "  x     integer  3");
}

#[test]
fn what_inspect_shows_make_reads_as_the_same_bytes() {
    let desk = Desk::new();
    let odd = Literal {
        hash: "abc".to_owned(),
        ..integer(1)
    };
    let error = scalar::Value::Error(copilot::idl::Error {
        failed_node_id: "n0".to_owned(),
        message: "late".to_owned(),
    });
    let float = primitive::Value::FloatValue(1.0);
    let literals = [("odd", odd), ("error", error.into()), ("f", float.into())];
    let literals = literals.map(|(name, literal)| (name.to_owned(), literal));
    let values = LiteralMap {
        literals: literals.into(),
    };
    let failure = ErrorDocument {
        error: Some(ContainerError {
            code: "MainFailed".to_owned(),
            message: "exit 7\nand more".to_owned(),
            kind: 1,
            origin: 1,
            ..ContainerError::default()
        }),
    };
    let declared = interface([("y", simple(SimpleType::Float))]);
    for (name, bytes) in [
        ("values.pb", values.encode_to_vec()),
        ("errors.pb", failure.encode_to_vec()),
        ("interface.pb", declared.encode_to_vec()),
    ] {
        desk.write(name, &bytes);
        for form in ["--json", "--yaml"] {
            let shown = inspect(&desk, &[name, form]);
            assert_eq!(shown.code(), 0, "{name}: {}", shown.stderr);
            desk.write("shown", &shown.stdout);
            let ended = make(&desk, &["--from", "shown", "--to", "again"]);
            assert_eq!(ended.code(), 0, "{name}: {}", ended.stderr);
            assert_eq!(
                fs::read(desk.path("again")).unwrap(),
                bytes,
                "{name} {form}"
            );
        }
    }
    let ended = inspect(&desk, &["errors.pb"]);
    let expected = "error\n  code       MainFailed\n  message    exit 7\\nand more\n  \
                    retry      may help (recoverable)\n  caused by  user\n";
    assert_eq!(ended.stdout, expected);
}

#[test]
fn an_interface_in_base64_is_what_the_platform_passes() {
    let desk = Desk::new();
    let ended = make(&desk, &["x:integer", "--output", "y:list[file[csv]]"]);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let base64 = ended.stdout.trim();
    let shown = inspect(&desk, &[base64]);
    assert_eq!(
        shown.stdout,
        "inputs\n  x  integer\noutputs\n  y  list[file[csv]]\n"
    );
    let ended = make(
        &desk,
        &["x:integer", "--output", "y:list[file[csv]]", "--to", "i.pb"],
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let made = decode_typed_interface(&fs::read(desk.path("i.pb")).unwrap()[..]).unwrap();
    assert_eq!(
        made.outputs.unwrap().types()["y"].to_string(),
        "list of file"
    );
}

#[test]
fn an_object_in_a_store_is_shown() {
    let task = Task::start().unwrap();
    let desk = Desk::new();
    task.put_inputs([("x", integer(3))]);
    let mut command = desk.copilot();
    command.args(task.site.server.flags("data"));
    let ended = with(
        &mut command,
        &["inspect", "s3://data/task/inputs.pb", "--yaml"],
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(
        ended.stdout,
        "kind: values\ntypes:\n  x: integer\nvalues:\n  x: 3\n"
    );
    assert_eq!(ended.stderr, "");
    let mut command = desk.copilot();
    command.args(task.site.server.flags("data"));
    let ended = with(&mut command, &["inspect", "s3://data/nothing.pb"]);
    assert_eq!(ended.code(), 1);
    assert!(
        ended.message().contains("s3://data/nothing.pb"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_cannot_be_shown_or_made_is_said() {
    let desk = Desk::new();
    desk.write("text", "this is a text");
    desk.write("broken.json", "{\"x\": ");
    desk.write("list.json", "[1]");
    for (words, code, says) in [
        (&["inspect"][..], 2, "takes one document, and 0 are given"),
        (
            &["inspect", "a", "b"],
            2,
            "takes one document, and 2 are given",
        ),
        (&["inspect", "nothing"], 1, "neither a file that exists"),
        (
            &["inspect", "text"],
            1,
            "text: the 14 bytes are none of the messages",
        ),
        (
            &["inspect", "text", "--kind", "interface"],
            1,
            "TypedInterface",
        ),
        (
            &["inspect", "text", "--kind", "inputs"],
            2,
            "values, interface, variables, error",
        ),
        (&["make"], 2, "nothing is given"),
        (&["make", "x"], 2, "NAME=VALUE"),
        (&["make", "x=1", "y:int"], 1, "y has a type and no value"),
        (&["make", "x=1", "--output", "y:int"], 1, "x has a value"),
        (&["make", "x:int", "x:int"], 1, "given twice"),
        (
            &["make", "--from", "nothing"],
            1,
            "--from: nothing cannot be read",
        ),
        (
            &["make", "--from", "broken.json"],
            1,
            "neither JSON nor YAML: EOF",
        ),
        (&["make", "--from", "list.json"], 1, "must be an object"),
        (&["make", "x=1", "--to", "text/file"], 1, "--to text/file"),
    ] {
        let ended = with(&mut desk.copilot(), words);
        assert_eq!(ended.code(), code, "{words:?}: {}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.contains(says), "{words:?}: {last}");
        assert_eq!(ended.stdout, "", "{words:?}");
    }
    assert_eq!(content(&desk.path("list.json")), "[1]");
}
