//! Inputs as arguments.

use std::fs;

use serde_json::json;

use crate::describe::{Document, Given, GivenError, Inputs, parse_type};
use crate::idl::{Variable, VariableEntry, VariableMap};

fn read(arguments: &[&str]) -> Result<Inputs, GivenError> {
    let given = arguments.iter().map(|argument| Given::parse(argument));
    let given: Vec<Given> = given.collect::<Result<_, _>>()?;
    Inputs::read(None, &given, None)
}

#[test]
fn values_show_their_types() {
    for (argument, words, value) in [
        ("x=3", "integer", json!(3)),
        ("x=0.5", "float", json!(0.5)),
        ("x=1e3", "float", json!(1000)),
        ("x=true", "boolean", json!(true)),
        ("x=null", "none", json!(null)),
        ("x=Ann", "string", json!("Ann")),
        ("x=", "string", json!("")),
        ("x=a=b:c", "string", json!("a=b:c")),
        ("x=007", "string", json!("007")),
        ("x=\"3\"", "string", json!("\"3\"")),
        ("x=@@home", "string", json!("@home")),
        ("x=[1, 2]", "list[integer]", json!([1, 2])),
        ("x=[1, 0.5]", "list[float]", json!([1, 0.5])),
        ("x={\"a\": [1]}", "struct", json!({"a": [1]})),
        (
            "x=2021-03-04T05:06:07Z",
            "datetime",
            json!("2021-03-04T05:06:07Z"),
        ),
        ("x=s3://b/k", "string", json!("s3://b/k")),
        ("x:string=3", "string", json!("3")),
        ("x:float=3", "float", json!(3)),
        ("x:duration=1h30m", "duration", json!(5_400_000_000_000_i64)),
        ("x:file[csv]=s3://b/k", "file[csv]", json!("s3://b/k")),
        ("x:enum[a,b]=b", "string", json!("b")),
        ("x:list[str]=[a, b]", "list[string]", json!(["a", "b"])),
        ("x:list[str]=[]", "list[none]", json!([])),
        ("x:map[int]={\"a\": 1}", "map[integer]", json!({"a": 1})),
        ("x:int?=", "union[none]", json!(null)),
        ("x:int?=4", "union[integer]", json!(4)),
        ("x:int|str=four", "union[string]", json!("four")),
        ("x:struct={}", "struct", json!({})),
        ("x:none=", "none", json!(null)),
    ] {
        let read = read(&[argument]).unwrap_or_else(|error| panic!("{argument}: {error}"));
        let shown = Document::Values(read.literals).to_json();
        assert_eq!(shown["types"]["x"], *words, "{argument}");
        assert_eq!(shown["values"]["x"], value, "{argument}");
    }
}

#[test]
fn local_files_become_references_or_values() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).display().to_string();
    fs::create_dir(path("folder")).unwrap();
    fs::write(path("table.csv"), "a\n").unwrap();
    fs::write(path("options.yaml"), "a: 1\n").unwrap();
    fs::write(path("text"), "42\n").unwrap();
    for (argument, words, value) in [
        (
            format!("x=@{}", path("table.csv")),
            "file",
            format!("file://{}", path("table.csv")),
        ),
        (
            format!("x=@{}/", path("folder")),
            "directory",
            format!("file://{}", path("folder")),
        ),
        (
            format!("x:dataset[csv]=@{}", path("folder")),
            "dataset[csv]",
            format!("file://{}", path("folder")),
        ),
    ] {
        let read = read(&[&argument]).unwrap_or_else(|error| panic!("{argument}: {error}"));
        let shown = Document::Values(read.literals).to_json();
        assert_eq!(shown["types"]["x"], *words, "{argument}");
        assert_eq!(shown["values"]["x"], *value, "{argument}");
    }
    for (argument, value) in [
        (
            format!("x:struct=@{}", path("options.yaml")),
            json!({"a": 1}),
        ),
        (format!("x:int=@{}", path("text")), json!(42)),
        (format!("x:string=@{}", path("text")), json!("42")),
        (
            format!("x:list[file]=[\"@{}\"]", path("text")),
            json!([format!("file://{}", path("text"))]),
        ),
    ] {
        let read = read(&[&argument]).unwrap_or_else(|error| panic!("{argument}: {error}"));
        let shown = Document::Values(read.literals).to_json();
        assert_eq!(shown["values"]["x"], value, "{argument}");
    }
    for (argument, rule) in [
        (format!("x:file=@{}", path("folder")), "is a directory"),
        (format!("x:dir=@{}", path("text")), "is a file"),
        (format!("x=@{}", path("nothing")), "cannot be read"),
        ("x:file=table.csv".to_owned(), "x=@PATH"),
    ] {
        let error = read(&[&argument]).unwrap_err().to_string();
        assert!(error.contains(rule), "{argument}: {error}");
    }
}

#[test]
fn arguments_that_give_nothing_are_refused() {
    for (arguments, rule) in [
        (&["=3"][..], "has no name"),
        (&["x"], "neither a type nor a value"),
        (&["x:int"], "a type and no value"),
        (&["x:integr=3"], "is unknown"),
        (&["x=1", "x=2"], "given twice"),
        (&["x:int=a"], "not a valid integer"),
        (&["x:list[int]=[\"a\"]"], "at $[0]"),
        (&["x=[]"], "does not show the type"),
        (&["x=[1, \"a\"]"], "different types"),
        (&["x:enum[a,b]=c"], "write one of"),
        (&["x:none=3"], "write null"),
        (&["x:map[int]=7"], "write an object"),
    ] {
        let error = read(arguments).unwrap_err().to_string();
        assert!(error.contains(rule), "{arguments:?}: {error}");
    }
}

#[test]
fn an_interface_gives_the_types_and_checks_the_names() {
    let interface = |types: &[(&str, &str)]| VariableMap {
        variables: types
            .iter()
            .map(|(name, words)| VariableEntry {
                key: (*name).to_owned(),
                value: Some(Variable {
                    r#type: Some(parse_type(words).unwrap()),
                    ..Variable::default()
                }),
            })
            .collect(),
    };
    let read = |arguments: &[&str], document: Option<serde_json::Value>| {
        let given: Vec<Given> = arguments
            .iter()
            .map(|argument| Given::parse(argument).unwrap())
            .collect();
        let declared = interface(&[("x", "string"), ("y", "float")]);
        Inputs::read(document.as_ref(), &given, Some(&declared))
    };
    let inputs = read(&["x=3"], Some(json!({"y": 1, "x": "document"}))).unwrap();
    let shown = Document::Values(inputs.literals).to_json();
    assert_eq!(shown["types"], json!({"x": "string", "y": "float"}));
    assert_eq!(shown["values"]["x"], "3");
    for (arguments, rule) in [
        (&["x=3"][..], "not given: y"),
        (&["x=3", "y=1", "z=1"], "no input z: it has x, y"),
        (&["x:int=3", "y=1"], "leave the type out"),
    ] {
        let error = read(arguments, None).unwrap_err().to_string();
        assert!(error.contains(rule), "{arguments:?}: {error}");
    }
}
