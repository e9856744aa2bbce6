//! `--image`: the command line of docker, podman or nerdctl. A script stands for the tool, since no test may fetch an
//! image; it runs the command of the container with the container's directories replaced.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use copilot_tests::binary::{self, Running};
use rustix::process::Signal;

use super::{Desk, content};

/// Notes its arguments, one a line, and does what the container would do.
const TOOL: &str = r#"#!/bin/sh
printf '%s\n' "$@" >> "$NOTES"
[ "$1" = run ] || exit 0
while [ $# -gt 0 ]; do
    case "$1" in
    --volume) volumes="$volumes $2"; shift ;;
    --entrypoint) entry="$2"; shift ;;
    --name) shift ;;
    run|--rm) ;;
    *) shift; break ;;
    esac
    shift
done
for volume in $volumes; do
    from=${volume%%:*} to=${volume#*:}
    case "${to%:ro}" in
    /data/in) in=$from ;;
    /data/out) out=$from ;;
    esac
done
export in out
exec "$entry" "$@"
"#;

fn with_tool(desk: &Desk, name: &str) {
    let path = format!("bin/{name}");
    desk.write(&path, TOOL);
    fs::set_permissions(desk.path(&path), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_first_tool_in_path_runs_the_image_with_both_directories() {
    for tool in ["docker", "podman", "nerdctl"] {
        let desk = Desk::new();
        with_tool(&desk, tool);
        desk.write("table.csv", "a\n");
        let mut command = desk.copilot();
        command
            .args(["run", "--image", "python:3", "--input", "data=@table.csv"])
            .args(["--input", "x=3", "--output", "y:string"])
            .args([
                "--input-data-dir",
                "/data/in/",
                "--output-data-dir",
                "/data/out",
            ])
            .args([
                "--",
                "sh",
                "-c",
                "cat $in/data > $out/y; echo $0 $1 >> $out/y",
            ])
            .args(["{{.inputs.x}}", "{{.inputs.data}}"])
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", desk.path("bin").display()),
            )
            .env("NOTES", desk.path("notes"));
        let ended = binary::run(&mut command);
        assert_eq!(ended.code(), 0, "{tool}: {}", ended.stderr);
        // Paths are those of the container.
        assert!(
            ended.stdout.contains("\"a\\n3 /data/in/data\""),
            "{tool}: {}",
            ended.stdout
        );
        let notes = content(&desk.path("notes"));
        assert!(
            notes.contains("\n--entrypoint\nsh\npython:3\n-c\n"),
            "{tool}: {notes}"
        );
        assert!(notes.contains("/inputs:/data/in:ro\n"), "{tool}: {notes}");
        assert_eq!(desk.left(), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn a_container_that_does_not_stop_is_removed() {
    let desk = Desk::new();
    with_tool(&desk, "docker");
    let mut command = desk.copilot();
    command
        .args([
            "run",
            "--image",
            "x",
            "--term-wait",
            "100ms",
            "--",
            "sh",
            "-c",
        ])
        .arg("trap '' TERM; echo ready >&2; while :; do sleep 0.1; done")
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", desk.path("bin").display()),
        )
        .env("NOTES", desk.path("notes"));
    let running = Running::start(&mut command);
    running.says("ready");
    running.signal(Signal::INT);
    let ended = running.ended();
    assert_eq!(ended.code(), 137, "{}", ended.stderr);
    let notes = content(&desk.path("notes"));
    assert!(notes.contains("\nrm\n--force\ncopilot-run-"), "{notes}");
}

#[test]
fn without_a_tool_that_is_said() {
    let desk = Desk::new();
    desk.write("bin/docker", "not a program");
    let mut command = desk.copilot();
    command
        .args(["run", "--image", "python:3", "--", "true"])
        .env("PATH", desk.path("bin"));
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 1);
    assert!(
        ended
            .message()
            .contains("none of docker, podman and nerdctl"),
        "{}",
        ended.stderr
    );
    assert_eq!(desk.left(), Vec::<std::path::PathBuf>::new());
}
