//! A task's pod as Flyte makes it: the uploader as sidecar, main beside it, a volume between them,
//! a store that only the pod can reach.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{
    ContainerError, LiteralMap, Message as _, SimpleType, TypedInterface, decode_error_document,
    decode_literal_map,
};
use serde_json::Value;

use crate::binary;
use crate::container::{Container, Ended, Image, Layout, Pids, Sandbox, Spec};
use crate::s3::S3Server;
use crate::task::{interface, simple};

/// The pod's name, and so main's.
pub const NAME: &str = "f6be2c9-n0-0";

/// The only output, unless others are asked for: a text.
pub const OUTPUT: &str = "word";

/// The uploader's name.
pub const SIDECAR: &str = "flyte-copilot-uploader";

/// The volume between the uploader and main.
pub const VOLUME: &str = "flyte-outputs";

const BUCKET: &str = "data";

/// How long a watcher may take to attach.
const PATIENCE: Duration = Duration::from_secs(20);

/// A task's pod.
#[derive(Debug)]
pub struct TaskPod {
    server: S3Server,
    /// The pod.
    pub pod: Sandbox,
}

impl TaskPod {
    /// Starts a pod without containers, and its store.
    pub fn start(pids: Pids) -> io::Result<Self> {
        Self::start_on(Layout::default(), pids)
    }

    /// The same on a node that names its cgroups so.
    pub fn start_on(layout: Layout, pids: Pids) -> io::Result<Self> {
        let pod = Sandbox::start_on(layout, NAME, pids)?;
        let store = pod.directory().join("store");
        fs::create_dir_all(store.join(BUCKET))?;
        let server = pod.network().enter(|| S3Server::start(&store))?;
        Ok(Self { server, pod })
    }

    /// The store.
    #[must_use]
    pub fn server(&self) -> &S3Server {
        &self.server
    }

    /// The downloader, called as the platform calls it; it finds the store at `endpoint`.
    pub fn downloader(&self, endpoint: &str) -> io::Result<Spec> {
        let arguments = [
            "download",
            "--from-remote=s3://data/inputs.pb",
            "--to-output-prefix=s3://data/out",
            "--to-local-dir=/var/inputs",
        ];
        let program = ["/bin/copilot".to_owned()]
            .into_iter()
            .chain(self.server.flags_through(endpoint, BUCKET))
            .chain(arguments.map(str::to_owned));
        let image = Image::Copilot(binary::path());
        let inputs = self.pod.volume("flyte-inputs")?;
        Ok(Spec::new("flyte-copilot-downloader", image, program).mount(inputs, "/var/inputs"))
    }

    /// The uploader, with the right to ask the kernel, called as the platform calls it.
    pub fn sidecar(&self) -> io::Result<Spec> {
        Ok(self.powerless_sidecar()?.capabilities(&["BPF", "PERFMON"]))
    }

    /// The uploader without any right.
    pub fn powerless_sidecar(&self) -> io::Result<Spec> {
        self.sidecar_for(&interface([(OUTPUT, simple(SimpleType::String))]))
    }

    /// The uploader of these outputs, without any right.
    pub fn sidecar_for(&self, outputs: &TypedInterface) -> io::Result<Spec> {
        let directory = self.pod.volume(VOLUME)?;
        self.uploader(outputs, &self.server.endpoint, &directory)
    }

    /// The uploader of these outputs from this directory of the node, without any right; it finds
    /// the store at `endpoint`.
    pub fn uploader(
        &self,
        outputs: &TypedInterface,
        endpoint: &str,
        directory: &Path,
    ) -> io::Result<Spec> {
        let program = ["/bin/copilot".to_owned()]
            .into_iter()
            .chain(self.server.flags_through(endpoint, BUCKET))
            .chain(arguments(outputs));
        let image = Image::Copilot(binary::path());
        Ok(Spec::new(SIDECAR, image, program)
            .mount(directory, "/var/outputs")
            .mount(self.pod.volume("timeline")?, "/var/timeline"))
    }

    /// Main, called as Flyte calls it: a script that finds its output directory at `/var/outputs`.
    pub fn main(&self, script: &str) -> io::Result<Spec> {
        self.main_called(NAME, script)
    }

    /// The same by another name.
    pub fn main_called(&self, name: &str, script: &str) -> io::Result<Spec> {
        let outputs = self.pod.volume(VOLUME)?;
        Ok(Spec::script(name, script)
            .user(1000)
            .mount(outputs, "/var/outputs"))
    }

    /// Starts the uploader and waits, as kubelet does, until its startup probe succeeds.
    pub fn attach(&self, sidecar: &Spec) -> io::Result<Container<'_>> {
        let sidecar = self.pod.run(sidecar)?;
        let began = Instant::now();
        while !is_ready(&sidecar)? {
            if began.elapsed() > PATIENCE || sidecar.try_wait()?.is_some() {
                let log = sidecar.log();
                return Err(io::Error::other(format!("it does not get ready:\n{log}")));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(sidecar)
    }

    /// The file behind an object of the store.
    #[must_use]
    pub fn object(&self, key: &str) -> PathBuf {
        self.server.file(BUCKET, key)
    }

    /// What the pod left behind once its sidecar has ended.
    pub fn outcome(&self, sidecar: &Container<'_>) -> io::Result<Outcome> {
        let sidecar = sidecar.wait()?;
        let read = |name: &str| fs::read(self.object(name)).ok();
        let timeline = fs::read(self.pod.volume("timeline")?.join("timeline.json"));
        Ok(Outcome {
            outputs: read("out/outputs.pb")
                .map(|bytes| decode_literal_map(bytes.as_slice()))
                .transpose()
                .map_err(io::Error::other)?,
            error: read("out/error.pb")
                .map(|bytes| decode_error_document(bytes.as_slice()))
                .transpose()
                .map_err(io::Error::other)?
                .and_then(|document| document.error),
            timeline: match timeline {
                Ok(text) => serde_json::from_slice(&text)?,
                Err(_) => Value::Null,
            },
            sidecar,
        })
    }
}

/// How a task's pod ended.
#[derive(Debug)]
pub struct Outcome {
    /// The sidecar's end.
    pub sidecar: Ended,
    /// `outputs.pb`, if it was written.
    pub outputs: Option<LiteralMap>,
    /// What the error document says, if one was written.
    pub error: Option<ContainerError>,
    /// What `--timeline` wrote.
    pub timeline: Value,
}

/// What kubelet's startup probe asks.
pub fn is_ready(sidecar: &Container<'_>) -> io::Result<bool> {
    let mut probe = sidecar.exec(&["/bin/copilot", "ready"]);
    Ok(probe.output()?.status.success())
}

fn arguments(interface: &TypedInterface) -> Vec<String> {
    let interface = BASE64_STANDARD.encode(interface.encode_to_vec());
    [
        "sidecar",
        // Each transition is said aloud.
        "--logger.level=4",
        "--timeout=1h0m0s",
        "--to-raw-output=s3://data/raw",
        "--to-output-prefix=s3://data/out",
        "--from-local-dir=/var/outputs",
        "--timeline=/var/timeline/timeline.json",
        "--interface",
        &interface,
    ]
    .map(str::to_owned)
    .to_vec()
}
