//! The load of a busy node: other pods come and go, containers are created and removed all the time, and
//! every core is busy.

use std::collections::VecDeque;
use std::hint;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use super::cluster::NAMESPACE as PODS;
use super::image::BOX;
use super::manifest;
use super::node::Node;

/// The runtime's namespace of containers that kubelet does not know, and the top of their cgroups.
pub const NAMESPACE: &str = "copilot-load";

/// How many neighbour pods there are at the same time.
const NEIGHBOURS: usize = 6;

/// How often one of them is replaced.
const PACE: Duration = Duration::from_millis(1500);

/// Load on a node; ends when dropped.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts the load.
    #[must_use]
    pub fn start(node: &Arc<Node>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut threads: Vec<JoinHandle<()>> = (0..cores)
            .map(|_| {
                let stop = Arc::clone(&stop);
                thread::spawn(move || spin(&stop))
            })
            .collect();
        for play in [pods as fn(&Node, &AtomicBool), containers] {
            let (node, stop) = (Arc::clone(node), Arc::clone(&stop));
            threads.push(thread::spawn(move || play(&node, &stop)));
        }
        Self { stop, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn spin(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        hint::spin_loop();
    }
}

/// Replaces neighbour pods through kubelet; some of them live longer than others.
fn pods(node: &Node, stop: &AtomicBool) {
    let mut present = VecDeque::new();
    for number in 0_u32.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("neighbour-{number}");
        let pod = neighbour(&name, &new_uid(), 2 + number % 5);
        // Some scenarios restart the API server.
        if let Err(error) = node.place(&name, &pod)
            && node.cluster().is_none()
        {
            eprintln!("kubelet: no neighbour: {error:#}");
        }
        present.push_back(name);
        if present.len() > NEIGHBOURS
            && let Some(oldest) = present.pop_front()
        {
            node.remove(&oldest);
        }
        thread::sleep(PACE);
    }
    for name in present {
        node.remove(&name);
    }
}

/// The manifest of a neighbour pod, which lives for a moment.
fn neighbour(name: &str, uid: &str, seconds: u32) -> Value {
    let text = format!("echo hello > /var/cache/file; sleep {seconds}; exit 0");
    let mounts = [json!({"name": "cache", "mountPath": "/var/cache"})];
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": PODS, "uid": uid},
        "spec": {
            "hostNetwork": true,
            "shareProcessNamespace": seconds.is_multiple_of(2),
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "volumes": [{"name": "cache", "emptyDir": {"medium": "Memory"}}],
            "containers": [manifest::script("work", &text, &mounts)],
        },
    })
}

/// Creates and removes containers with the runtime's own client.
fn containers(node: &Node, stop: &AtomicBool) {
    for number in 0_u32.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("load-{number}");
        let cgroup = format!("/{NAMESPACE}/{name}");
        let mut command = node.ctr(NAMESPACE);
        command
            .args(["run", "--rm", "--cgroup", &cgroup, BOX, &name])
            .args(["/bin/sh", "-c", "(true); (exit 3); sleep 0.3"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        // Its result does not matter.
        let _ = command.status();
        thread::sleep(PACE / 2);
    }
}

/// A uid like those from the API server.
#[must_use]
pub fn new_uid() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    format!(
        "{:08x}-{:04x}-4{:03x}-9{:03x}-{:012x}",
        now.as_secs() & 0xffff_ffff,
        count & 0xffff,
        now.subsec_millis() & 0xfff,
        std::process::id() & 0xfff,
        u64::from(now.subsec_nanos()) << 8 | u64::from(count & 0xff),
    )
}
