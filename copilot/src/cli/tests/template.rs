//! What the command lines of `template` turn into.

use super::run;
use crate::command::Invocation;
use crate::template::{FlyteVersion, TemplateRequest, TemplateWatcher};

fn request(arguments: &[&str]) -> TemplateRequest {
    match run(&[&["template"], arguments].concat()) {
        Ok(Invocation::Template(request)) => *request,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

#[test]
fn a_version_is_enough() {
    for (version, expected) in [
        ("1.16", FlyteVersion::V1_16),
        ("v1.16.8", FlyteVersion::V1_16),
        ("1.17.0-b1", FlyteVersion::V1_16),
        ("1.15", FlyteVersion::V1_15),
        ("1.15.3", FlyteVersion::V1_15),
        ("2", FlyteVersion::V2),
        ("v2.0.43", FlyteVersion::V2),
        ("1.15.0", FlyteVersion::Before1_15_1),
        ("1.10.6", FlyteVersion::Before1_15_1),
        ("0.19.4", FlyteVersion::Before1_15_1),
    ] {
        let read = request(&["--flyte", version]);
        assert_eq!(read, TemplateRequest::of(expected), "{version}");
    }
}

#[test]
fn flags_of_a_template() {
    use TemplateWatcher::{Ebpf, KubeApi, Pidfd};
    let all = [
        "--flyte=2",
        "--prefix",
        "my-pilot-",
        "--watcher",
        "ebpf, pidfd,ebpf",
        "--streaming",
        "--image=copilot:0.1",
    ];
    let read = request(&all);
    assert_eq!(read.prefix, "my-pilot-");
    assert_eq!(read.watchers, [Ebpf, Pidfd]);
    assert!(read.streams);
    assert_eq!(read.image, "copilot:0.1");
    for (names, expected) in [
        ("kube-api", &[KubeApi][..]),
        ("kube-api,ebpf", &[KubeApi, Ebpf]),
        ("signal", &[]),
    ] {
        let read = request(&["--flyte", "1.16", "--watcher", names]);
        assert_eq!(read.watchers, expected, "{names}");
    }
    // A flag without a value may stand before the command's name.
    let Ok(Invocation::Template(read)) = run(&["--streaming", "template", "--flyte", "2"]) else {
        panic!("a template");
    };
    assert!(read.streams);
}

#[test]
fn refusals_name_the_flag_and_what_to_do() {
    for (arguments, words) in [
        (&[][..], "--flyte is required: the version of Flyte"),
        (&["1.16"], "\"1.16\" belongs to no flag"),
        (&["--flyte", "1"], "1.15 or 1.16"),
        (&["--flyte", "latest"], "\"latest\" is not a version"),
        (&["--flyte", "1.+6"], "not a version"),
        (&["--flyte", "1..6"], "not a version"),
        (&["--flyte", "3.1"], "knows Flyte up to version 2"),
        (&["--flyte", "2", "--prefix", "pilot"], "ends with -"),
        (&["--flyte", "2", "--prefix", "My-"], "lower case"),
        (&["--flyte", "2", "--prefix", ""], "co-pilot.name"),
        (&["--flyte", "2", "--image", "a b"], "--image \"a b\""),
        (&["--flyte", "2", "--watcher", "ebfp"], "did you mean ebpf?"),
        (
            &["--flyte", "2", "--watcher", "auto"],
            "it is one of ebpf, pidfd, kube-api, signal",
        ),
        (
            &["--flyte", "2", "--watcher", "signal,ebpf"],
            "no other watcher",
        ),
        (
            &["--flyte", "1.15", "--watcher", "signal"],
            "gets no SIGTERM",
        ),
        (
            &["--flyte", "1.14", "--watcher", "ebpf"],
            "main would get it, too",
        ),
        (&["--flyte", "1.15", "--streaming"], "Flyte 1.16 or newer"),
        (&["--flyte", "2", "--strict", "word"], "word"),
    ] {
        let refusal = run(&[&["template"], arguments].concat()).unwrap_err();
        let refusal = refusal.to_string();
        assert!(refusal.contains(words), "{arguments:?}: {refusal}");
    }
}
