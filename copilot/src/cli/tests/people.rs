//! The commands for people: `run`, `inspect`, `make`.

use std::path::PathBuf;
use std::time::Duration;

use super::run;
use crate::cli::runs_a_program;
use crate::command::Invocation;
use crate::describe::{DocumentForm, DocumentKind, MakeRequest, type_words};
use crate::literal::input::Layout;
use crate::literal::render::MetadataFormat;
use crate::trial::{Action, Runtime, TrialRequest};

fn trial(arguments: &[&str]) -> TrialRequest {
    match run(&[&["run"], arguments].concat()) {
        Ok(Invocation::Run(_, request)) => *request,
        other => panic!("{other:?}"),
    }
}

fn runtime(arguments: &[&str]) -> Runtime {
    match trial(arguments).action {
        Action::Run(runtime) => *runtime,
        Action::Check(directory) => panic!("{directory:?}"),
    }
}

#[test]
fn the_command_stands_behind_the_first_dashes() {
    let command = runtime(&["--keep", "--", "sh", "--keep", "--", "-c", "--input"]);
    assert_eq!(command.command, ["sh", "--keep", "--", "-c", "--input"]);
    assert!(command.keep);
    assert_eq!(command.input_data_dir, "/var/inputs");
    assert_eq!(command.output_data_dir, "/var/outputs");
    assert_eq!(command.term_wait, Duration::from_secs(10));
    assert_eq!(command.work_dir, None);
    assert_eq!(runtime(&["--image", "x"]).command, Vec::<String>::new());
    // A flag without a value may stand before the command's name.
    let Ok(Invocation::Run(_, request)) = run(&["--json", "run", "--", "true"]) else {
        panic!("a run");
    };
    assert!(request.json);
}

#[test]
fn flags_of_a_run() {
    let request = trial(&[
        "--input",
        "x:list[int]=[1]",
        "--input=y=a=b",
        "--output",
        "z:file[csv]",
        "-m",
        "YAML",
        "--file-input-layout=NAMED_DIR",
        "--to",
        "s3://b/k",
        "--interface",
        "EgA=",
        "--inputs",
        "f",
        "--",
        "true",
    ]);
    assert_eq!(request.given[0].name, "x");
    let declared = request.given[0].declared.as_ref().unwrap();
    assert_eq!(type_words(declared), "list[integer]");
    assert_eq!(request.given[1].value.as_deref(), Some("a=b"));
    assert_eq!(request.outputs[0].value, None);
    assert_eq!(request.format, MetadataFormat::Yaml);
    assert_eq!(request.layout, Layout::NamedDir);
    assert_eq!(request.to.as_deref(), Some("s3://b/k"));
    assert_eq!(request.interface.as_deref(), Some("EgA="));
    assert_eq!(request.inputs, Some(PathBuf::from("f")));
    assert!(!request.json);
    let check = trial(&["--check", "dir", "--output", "z:file"]);
    assert_eq!(check.action, Action::Check("dir".into()));
}

#[test]
fn only_run_runs_a_program() {
    for (arguments, expected) in [
        (&["run", "--", "true"][..], true),
        (&["--logger.level=5", "run"], true),
        (&["--config", "run", "sidecar"], false),
        (&["sidecar", "run"], false),
        (&["inspect", "run"], false),
        (&["--", "run"], false),
        (&[], false),
    ] {
        let argv = std::iter::once(&"copilot").chain(arguments);
        let argv: Vec<_> = argv.map(Into::into).collect();
        assert_eq!(runs_a_program(&argv), expected, "{arguments:?}");
    }
}

#[test]
fn documents() {
    let Ok(Invocation::Inspect(_, request)) = run(&["inspect", "-", "--yaml", "--kind=error"])
    else {
        panic!("an inspection");
    };
    assert_eq!(request.source, "-");
    assert_eq!(request.form, DocumentForm::Yaml);
    assert_eq!(request.kind, Some(DocumentKind::Error));
    assert!(run(&["inspect", "a", "--json", "--yaml"]).is_err());
    let words = ["make", "x=1", "--input", "y=2", "--from", "f", "--to=t"];
    let Ok(Invocation::Make(request)) = run(&words) else {
        panic!("a document is made");
    };
    let MakeRequest {
        inputs, from, to, ..
    } = *request;
    let names: Vec<&str> = inputs.iter().map(|given| given.name.as_str()).collect();
    assert_eq!(names, ["x", "y"]);
    assert_eq!((from, to), (Some("f".into()), Some("t".into())));
}
