//! What the command lines of `doctor` and `watch` turn into.

use std::path::Path;

use super::run;
use crate::cli::*;
use crate::track::Watcher;

#[test]
fn doctor_takes_the_sidecars_command_line() {
    let mut arguments = vec!["doctor", "--to-output-prefix", "s3://b/out"];
    arguments.extend(["--from-local-dir", "/out", "--watcher", "pidfd", "--json"]);
    arguments.extend(["--to-local-dir", "/in", "--expect-size", "1Gi", "--probe"]);
    let Ok(Invocation::Doctor(_, request)) = run(&arguments) else {
        panic!("{:?}", run(&arguments));
    };
    assert_eq!(request.sidecar.track.watchers, [Watcher::Pidfd]);
    assert_eq!(request.from_local_dir.as_deref(), Some(Path::new("/out")));
    assert_eq!(request.to_local_dir.as_deref(), Some(Path::new("/in")));
    assert_eq!(request.expect_size, Some(1 << 30));
    assert_eq!(request.to_output_prefix.as_deref(), Some("s3://b/out"));
    assert!(request.json && request.probe && request.pod.is_none());
    assert!(run(&["doctor", "--watcher", "ebfp"]).is_err());
}

#[test]
fn watch_watches_one_pod_or_all() {
    let Ok(Invocation::Watch(_, request)) = run(&["watch", "--all", "--json"]) else {
        panic!("{:?}", run(&["watch", "--all", "--json"]));
    };
    assert!(request.all && request.json);
    assert_eq!(request.track.watchers, [Watcher::Auto]);
    let refusal = run(&["watch", "--all", "--pod-cgroup", "/x"]).unwrap_err();
    assert!(
        refusal.to_string().contains("give one of them"),
        "{refusal}"
    );
}
