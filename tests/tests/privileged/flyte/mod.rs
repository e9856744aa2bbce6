//! What `copilot template` prints, as Flyte uses it: merged into pods that Flyte's own builder has made, compared with
//! pods that it made from such templates, judged by `doctor`, and run with a real container runtime.

mod merged;
mod platform;
mod running;
mod yaml;

use copilot_tests::binary;
use serde_json::Value;

use self::platform::{Platform, Template};

/// Pods of Flyte's (tests/fixtures/flyte).
const PLAIN: &str = include_str!("../../../fixtures/flyte/a.json");
const OTHER_PREFIX: &str = include_str!("../../../fixtures/flyte/c1.json");
const OLD: &str = include_str!("../../../fixtures/flyte/o-a.json");
const FROM_TEMPLATE: &str = include_str!("../../../fixtures/flyte/t-r.json");
const WRONG_PREFIX: &str = include_str!("../../../fixtures/flyte/t-bpf-prefix.json");
const STREAMING: &str = include_str!("../../../fixtures/flyte/t-stream.json");
const SECOND: &str = include_str!("../../../fixtures/flyte/v2-r.json");
const SECOND_AGAIN: &str = include_str!("../../../fixtures/flyte/v2-again.json");
const SECOND_PLAIN: &str = include_str!("../../../fixtures/flyte/v2-s.json");

fn pod(text: &str) -> Value {
    serde_json::from_str(text).expect("a pod")
}

/// What the command prints.
fn printed(arguments: &[&str]) -> String {
    let ended = binary::run(binary::command().arg("template").args(arguments));
    assert_eq!(ended.code(), 0, "{arguments:?}: {}", ended.stderr);
    ended.stdout
}

/// The template that the command prints, as the platform has it after `kubectl apply`.
fn template(platform: Platform, arguments: &[&str]) -> Template {
    let version = match platform {
        Platform::V1_15 => "1.15",
        Platform::V1_16 => "1.16",
        Platform::V2 => "2",
    };
    let text = printed(&[&["--flyte", version], arguments].concat());
    Template::apply(platform, &text)
}

/// Flyte's pod of version 1.15: as that of 1.10, with the uploader's newer name.
fn pod_of_1_15() -> Value {
    pod(&OLD.replace("flyte-copilot-sidecar", "flyte-copilot-uploader"))
}

/// A container whose name ends like this.
fn container<'a>(pod: &'a Value, role: &str) -> &'a Value {
    let lists = ["initContainers", "containers"].map(|list| pod["spec"][list].as_array());
    let mut all = lists.into_iter().flatten().flatten();
    let found = all.find(|it| name(it).ends_with(role));
    found.unwrap_or_else(|| panic!("{role}: {pod}"))
}

fn name(container: &Value) -> &str {
    container["name"].as_str().unwrap_or_default()
}
