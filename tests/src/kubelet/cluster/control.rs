//! Starts the programs of the control plane in the node's process: they end with it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::kubelet::node::inside;

/// How long the API server is away when it is killed.
const AWAY: Duration = Duration::from_secs(2);

/// The file with its process id.
const PID: &str = "api.pid";

/// Starts all of them. They wait for each other, except that the API server gives up when etcd is slow;
/// so it is started again until it runs.
pub fn start(directory: &Path, settings: &Value) -> Result<()> {
    let folder = directory.join("cluster");
    let cluster = &settings["cluster"];
    let programs = cluster["programs"]
        .as_str()
        .context("the programs lie somewhere")?;
    let programs = Path::new(programs).to_owned();
    etcd(directory, cluster)?.spawn().context("etcd")?;
    let arguments = api_arguments(&folder, settings);
    let (here, server) = (directory.to_owned(), programs.join("kube-apiserver"));
    thread::spawn(move || keep_api(&here, &server, &arguments));

    let controllers = programs.join("kube-controller-manager");
    inside::program(directory, &controllers)?
        .arg(format!(
            "--kubeconfig={}/controllers.json",
            folder.display()
        ))
        .arg(format!(
            "--service-account-private-key-file={}/accounts.key",
            folder.display()
        ))
        .arg(format!("--root-ca-file={}/ca.crt", folder.display()))
        .args([
            "--use-service-account-credentials=true",
            "--leader-elect=false",
        ])
        .arg("--secure-port=0")
        .spawn()
        .context("kube-controller-manager")?;
    inside::program(directory, &programs.join("kube-scheduler"))?
        .arg(format!("--kubeconfig={}/scheduler.json", folder.display()))
        .args(["--leader-elect=false", "--secure-port=0"])
        .spawn()
        .context("kube-scheduler")?;
    Ok(())
}

fn etcd(directory: &Path, cluster: &Value) -> Result<Command> {
    let client = format!("http://127.0.0.1:{}", cluster["etcd"]);
    let peer = format!("http://127.0.0.1:{}", cluster["peer"]);
    let mut command = inside::program(directory, Path::new("etcd"))?;
    command
        .arg(format!("--data-dir={}/etcd", directory.display()))
        .arg(format!("--listen-client-urls={client}"))
        .arg(format!("--advertise-client-urls={client}"))
        .arg(format!("--listen-peer-urls={peer}"))
        .arg(format!("--initial-advertise-peer-urls={peer}"))
        .arg(format!("--initial-cluster=default={peer}"))
        // The data is deleted with the node, so it need not survive a power failure.
        .arg("--unsafe-no-fsync");
    Ok(command)
}

fn api_arguments(folder: &Path, settings: &Value) -> Vec<String> {
    let folder = folder.display();
    let cluster = &settings["cluster"];
    let mut arguments = [
        format!("--etcd-servers=http://127.0.0.1:{}", cluster["etcd"]),
        format!("--secure-port={}", cluster["api"]),
        format!("--tls-cert-file={folder}/api.crt"),
        format!("--tls-private-key-file={folder}/api.key"),
        format!("--client-ca-file={folder}/ca.crt"),
        format!("--token-auth-file={folder}/tokens.csv"),
        format!("--service-account-key-file={folder}/accounts.pub"),
        format!("--service-account-signing-key-file={folder}/accounts.key"),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        "--authorization-mode=RBAC,Node".to_owned(),
        "--allow-privileged=true".to_owned(),
        // Versions that watches continue from are soon removed from etcd.
        "--etcd-compaction-interval=10s".to_owned(),
    ]
    .to_vec();
    if cluster["cache"] == false {
        // Otherwise the server's cache still has what etcd has removed.
        arguments.push("--watch-cache-sizes=pods#0".to_owned());
    }
    arguments
}

/// Starts the API server, and starts it again whenever it has ended.
fn keep_api(directory: &Path, server: &Path, arguments: &[String]) {
    loop {
        let started = inside::program(directory, server)
            .and_then(|mut command| Ok(command.args(arguments).spawn()?));
        match started {
            Ok(mut server) => {
                let _ = fs::write(directory.join("cluster").join(PID), server.id().to_string());
                // If another thread has reaped it, it has ended, too.
                let _ = server.wait();
            }
            Err(error) => eprintln!("the API server: {error:#}"),
        }
        thread::sleep(AWAY);
    }
}

/// Kills the API server.
pub fn kill_api(folder: &Path) -> Result<()> {
    let pid = fs::read_to_string(folder.join(PID))?.parse()?;
    let pid = Pid::from_raw(pid).context("the API server has a process")?;
    Ok(kill_process(pid, Signal::KILL)?)
}
