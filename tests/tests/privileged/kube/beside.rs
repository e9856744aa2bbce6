//! Together with a watcher that sees processes: both report the same container.

use std::process::Command;

use copilot_tests::binary::{self, Running};
use copilot_tests::pod::Pod;
use copilot_tests::requirement::Requirement;

use super::fixture::{KubeFixture, MAIN, OURS};

fn enter(pod: &Pod, container: &str, program: &str) -> Command {
    let mut command = pod.command(container, program).unwrap();
    binary::isolate(&mut command);
    command
}

#[test]
fn the_kernel_reports_first_and_nothing_is_counted_twice() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for watcher in ["ebpf", "pidfd", "proc"] {
        for names in [[MAIN, OURS].map(str::to_owned), [MAIN, OURS].map(scope)] {
            let [main_cgroup, our_cgroup] = names;
            let mut fixture = KubeFixture::start();
            let pod = Pod::create().unwrap();
            let program = binary::path().display().to_string();
            let mut command = fixture.within(enter(&pod, &our_cgroup, &program));
            command.arg(format!("--watcher=kube-api,{watcher}"));
            let mut sidecar = Running::start(&mut command);
            sidecar.watches();
            let mut main = enter(&pod, &main_cgroup, "/bin/sh");
            main.args(["-c", "read gate; exit 7"]);
            main.stdin(std::process::Stdio::piped());
            let mut main = main.spawn().unwrap();
            sidecar.says("main started");
            fixture.main_runs();
            drop(main.stdin.take());
            main.wait().unwrap();
            // The kernel has already reported it; kubelet is slower.
            if watcher == "proc" {
                fixture.main_ends(7, "Error");
            }
            let outcome = fixture.outcome(sidecar);
            let (timeline, log) = (&outcome.timeline, &outcome.ended.stderr);
            assert_eq!(timeline["main"], serde_json::json!([MAIN]), "{log}");
            assert_eq!(timeline["watcher"], format!("kube-api,{watcher}"));
            // The last line, for people, tells it as well.
            let told = log.matches("\"msg\":\"main started\"").count();
            assert_eq!(told, 1, "{log}");
            if watcher == "ebpf" {
                assert_eq!(timeline["status"], "exited with code 7", "{log}");
            }
        }
    }
}

fn scope(id: &str) -> String {
    format!("cri-containerd-{id}.scope")
}
