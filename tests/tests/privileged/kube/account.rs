//! In a real container, by the service account that kubelet mounts, over TLS: without any privilege
//! and without a shared pid namespace.

use std::fs;

use copilot_tests::background::Background;
use copilot_tests::container::{Pids, Spec};
use copilot_tests::fixture::{NAME, Outcome, SIDECAR, TaskPod};
use copilot_tests::kube::{ApiServer, Manifest, NAMESPACE, TOKEN};
use copilot_tests::requirement::Requirement;
use copilot_tests::tls::{Authority, front};

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// A pod whose API server only the pod can reach.
struct Cluster {
    task: TaskPod,
    api: ApiServer,
    front: Background,
    pod: Manifest,
}

impl Cluster {
    fn start() -> Self {
        let task = TaskPod::start(Pids::Separate).unwrap();
        let network = task.pod.network();
        let authority = Authority::new("cluster").unwrap();
        let certificate = authority.certify("127.0.0.1").unwrap();
        let api = network.enter(ApiServer::start).unwrap();
        let address = api.address();
        let front = network.enter(|| front(address, certificate)).unwrap();
        let account = task.pod.volume("kube-api-access").unwrap();
        for (name, content) in [
            ("token", TOKEN),
            ("namespace", NAMESPACE),
            ("ca.crt", &authority.pem()),
        ] {
            fs::write(account.join(name), content).unwrap();
        }
        let mounts = [("flyte-outputs", "/var/outputs")];
        let pod = Manifest::new(NAME, task.pod.uid())
            .container(SIDECAR, true, &mounts)
            .container("trainer", false, &mounts)
            .container("helper", false, &[]);
        api.put(&pod);
        Self {
            task,
            api,
            front,
            pod,
        }
    }

    fn sidecar(&self) -> Spec {
        let sidecar = self.task.powerless_sidecar().unwrap().user(65534);
        let account = self.task.pod.volume("kube-api-access").unwrap();
        sidecar
            .mount(account, ACCOUNT)
            .environment("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .environment(
                "KUBERNETES_SERVICE_PORT",
                &self.front.address().port().to_string(),
            )
            .argument("--watcher=kube-api")
    }
}

/// Main is found by the volume that it shares, and how it ended is known.
#[test]
fn nothing_but_a_service_account_is_needed() {
    if !Requirement::Containers.is_met() {
        return;
    }
    for private_cgroups in [false, true] {
        let mut cluster = Cluster::start();
        let mut spec = cluster.sidecar();
        if private_cgroups {
            spec = spec.private_cgroups();
        }
        let sidecar = cluster.task.attach(&spec).unwrap();
        let main = cluster.task.main_called("trainer", "exit 7").unwrap();
        let main = cluster.task.pod.run(&main).unwrap();
        main.wait().unwrap();
        // Kubelet reports all of that to the API a moment later.
        cluster.pod.runs(SIDECAR, sidecar.id());
        cluster.pod.ends("helper", &"a".repeat(64), 9, "Error");
        cluster.api.put(&cluster.pod);
        cluster.pod.ends("trainer", main.id(), 7, "Error");
        cluster.api.put(&cluster.pod);
        let outcome = cluster.task.outcome(&sidecar).unwrap();
        assert_failed(&outcome);
    }
}

#[track_caller]
fn assert_failed(outcome: &Outcome) {
    outcome.assert_reported("MainFailed", "exited with code 7");
    assert_eq!(outcome.timeline["watcher"], "kube-api", "{outcome:?}");
    let rule = outcome.timeline["main_found"].as_str().unwrap_or_default();
    assert!(rule.contains("mounts the output directory"), "{outcome:?}");
}

/// The pod with that name is another one: its uid differs from the one in our mounts.
#[test]
fn a_pod_that_is_not_ours_is_refused() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let cluster = Cluster::start();
    let other = Manifest::new(NAME, "another-uid");
    cluster.api.put(&other);
    let sidecar = cluster.task.pod.run(&cluster.sidecar()).unwrap();
    let ended = sidecar.wait().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("not the one that we run in"),
        "{}",
        ended.stderr
    );
}

/// A server whose certificate is from another authority gets no token and no request.
#[test]
fn a_server_with_an_untrusted_certificate_is_refused() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let cluster = Cluster::start();
    let stranger = Authority::new("stranger").unwrap();
    let account = cluster.task.pod.volume("kube-api-access").unwrap();
    fs::write(account.join("ca.crt"), stranger.pem()).unwrap();
    let sidecar = cluster.task.pod.run(&cluster.sidecar()).unwrap();
    let ended = sidecar.wait().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("certificate"), "{}", ended.stderr);
    assert_eq!(cluster.api.asked().len(), 0);
}
