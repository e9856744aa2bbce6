//! An image with only the static binary: without name service, certificates and shell, and with a read-only
//! root.

#![cfg(test)]

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use copilot::idl::{Literal, LiteralMap, Message as _, blob_type::BlobDimensionality, primitive};
use copilot_tests::background::Background;
use copilot_tests::binary::{self, Ended};
use copilot_tests::container::{Image, Pids, Sandbox, Spec};
use copilot_tests::names::NameServer;
use copilot_tests::requirement::Requirement;
use copilot_tests::s3::S3Server;
use copilot_tests::task::blob;
use copilot_tests::tls::{Authority, front};

/// The store's name; the top-level domain is reserved for tests.
const HOST: &str = "store.copilot.test";

const BUCKET: &str = "data";

const CONTENT: &[u8] = b"It came all the way.\n";

/// A pod, and a store with inputs that only the pod can reach.
struct ImageFixture {
    server: S3Server,
    pod: Sandbox,
}

impl ImageFixture {
    fn create() -> Self {
        let pod = Sandbox::start("empty-image", Pids::Shared).unwrap();
        let store = pod.directory().join("store");
        let blobs = store.join(BUCKET).join("blobs");
        fs::create_dir_all(&blobs).unwrap();
        fs::write(blobs.join("letter.txt"), CONTENT).unwrap();
        fs::write(store.join(BUCKET).join("inputs.pb"), inputs()).unwrap();
        let server = pod.network().enter(|| S3Server::start(&store)).unwrap();
        Self { server, pod }
    }

    /// The host names of the pod's network: the store's name, as from DNS.
    fn names(&self) -> NameServer {
        let start = || NameServer::start(HOST, Ipv4Addr::LOCALHOST);
        self.pod.network().enter(start).unwrap()
    }

    /// A TLS proxy in front of the store, with a certificate for `host`.
    fn tls(&self, authority: &Authority, host: &str) -> Background {
        let config = authority.certify(host).unwrap();
        let start = || front(self.server.address(), config);
        self.pod.network().enter(start).unwrap()
    }

    fn inputs(&self) -> PathBuf {
        self.pod.volume("inputs").unwrap()
    }

    /// A container that holds the binary and downloads from `endpoint`.
    fn downloader(&self, program: &str, endpoint: &str) -> Spec {
        let flags = self.server.flags_through(endpoint, BUCKET);
        let words = [
            "download",
            "--from-remote=s3://data/inputs.pb",
            "--to-output-prefix=s3://data/out",
            "--to-local-dir=/var/inputs",
        ];
        let words = words.iter().map(|word| (*word).to_owned());
        let program = [program.to_owned()].into_iter().chain(flags).chain(words);
        alone("downloader", program).mount(self.inputs(), "/var/inputs")
    }

    fn run(&self, spec: &Spec) -> Ended {
        self.pod.run(spec).unwrap().wait().unwrap()
    }

    /// Runs a downloader that must succeed.
    #[track_caller]
    fn succeeds(&self, spec: &Spec) {
        let ended = self.run(spec);
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        let text = fs::read(self.inputs().join("letter")).unwrap();
        assert_eq!(text, CONTENT);
        assert_eq!(fs::read(self.inputs().join("word")).unwrap(), b"hello");
        assert!(self.inputs().join("inputs.json").is_file());
    }
}

fn alone(name: &str, program: impl IntoIterator<Item = String>) -> Spec {
    Spec::new(name, Image::Copilot(binary::path()), program).bare()
}

fn inputs() -> Vec<u8> {
    let letter = blob("s3://data/blobs/letter.txt", BlobDimensionality::Single);
    let word = primitive::Value::StringValue("hello".to_owned());
    let literals: [(&str, Literal); 2] = [("letter", letter), ("word", word.into())];
    LiteralMap {
        literals: literals
            .into_iter()
            .map(|(name, literal)| (name.to_owned(), literal))
            .collect(),
    }
    .encode_to_vec()
}

/// A file of the node to be mounted.
fn file(fixture: &ImageFixture, name: &str, content: &str) -> PathBuf {
    let path = fixture.pod.directory().join(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_name_is_found_and_plain_http_needs_no_certificates() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let fixture = ImageFixture::create();
    let names = fixture.names();
    let port = fixture.server.address().port();
    let endpoint = format!("http://{HOST}:{port}");
    // Not even /etc/resolv.conf: a resolver then asks this machine.
    fixture.succeeds(&fixture.downloader("/bin/copilot", &endpoint));
    assert!(names.asked().contains(&HOST.to_owned()));
}

#[test]
fn the_authority_of_tls_is_named_by_a_variable() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let fixture = ImageFixture::create();
    let names = fixture.names();
    let authority = Authority::new("known").unwrap();
    let tls = fixture.tls(&authority, HOST);
    let endpoint = format!("https://{HOST}:{}", tls.address().port());
    let certificates = file(&fixture, "authority.pem", &authority.pem());
    let resolver = file(
        &fixture,
        "resolv.conf",
        "search test\nnameserver 127.0.0.1\n",
    );
    let spec = fixture
        .downloader("/bin/flyte-copilot", &endpoint)
        .mount(certificates, "/certificates/authority.pem")
        .mount(resolver, "/etc/resolv.conf")
        .environment("SSL_CERT_FILE", "/certificates/authority.pem");
    fixture.succeeds(&spec);
    assert!(names.asked().contains(&HOST.to_owned()));
}

#[test]
fn hosts_are_read_from_a_file_as_kubelet_mounts_it() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let fixture = ImageFixture::create();
    let hosts = file(&fixture, "hosts", &format!("127.0.0.1 localhost {HOST}\n"));
    let port = fixture.server.address().port();
    let endpoint = format!("http://{HOST}:{port}");
    // No server answers on port 53 here.
    let spec = fixture.downloader("/bin/copilot", &endpoint);
    fixture.succeeds(&spec.mount(hosts, "/etc/hosts"));
}

#[test]
fn an_untrusted_store_is_refused_with_an_explanation() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let fixture = ImageFixture::create();
    let _names = fixture.names();
    let known = Authority::new("known").unwrap();
    let certificates = file(&fixture, "authority.pem", &known.pem());
    let unknown = fixture.tls(&Authority::new("stranger").unwrap(), HOST);
    let misnamed = fixture.tls(&known, "other.copilot.test");
    for (server, cause) in [(unknown, "UnknownIssuer"), (misnamed, "other.copilot.test")] {
        let endpoint = format!("https://{HOST}:{}", server.address().port());
        let spec = fixture
            .downloader("/bin/copilot", &endpoint)
            .mount(&certificates, "/authority.pem")
            .environment("SSL_CERT_FILE", "/authority.pem");
        let ended = fixture.run(&spec);
        // The error document cannot be written to a store that is not trusted.
        assert_eq!(ended.status.code(), Some(3), "{}", ended.stderr);
        let remedy = "Name the store's certificate authority in SSL_CERT_FILE";
        for part in [endpoint.as_str(), "no trusted connection", cause, remedy] {
            assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
        }
        assert_eq!(fs::read_dir(fixture.inputs()).unwrap().count(), 0);
    }
}

#[test]
fn help_and_ready_need_nothing() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let fixture = ImageFixture::create();
    for program in ["/bin/copilot", "/bin/flyte-copilot"] {
        let words = |argument: &str| [program.to_owned(), argument.to_owned()];
        let help = fixture.run(&alone("help", words("--help")));
        assert_eq!(help.status.code(), Some(0), "{}", help.stderr);
        assert!(help.stderr.contains("copilot <COMMAND>"), "{}", help.stderr);
        let ready = fixture.run(&alone("ready", words("ready")));
        assert_eq!(ready.status.code(), Some(1), "{}", ready.stderr);
        assert!(
            ready.stderr.contains("has attached its watcher"),
            "{}",
            ready.stderr
        );
    }
}

/// The tests above would prove nothing if the image contained more.
#[test]
fn the_image_holds_the_binary_only() -> io::Result<()> {
    if !Requirement::Containers.is_met() {
        return Ok(());
    }
    let fixture = ImageFixture::create();
    let spec = alone("image", ["/bin/copilot".to_owned(), "--help".to_owned()]);
    let container = fixture.pod.create(&spec)?;
    let root = PathBuf::from(format!("/proc/{}/root", container.pid()));
    assert_eq!(names(&root)?, ["bin", "dev", "proc", "sys"]);
    assert_eq!(names(&root.join("bin"))?, ["copilot", "flyte-copilot"]);
    let refused = fs::write(root.join("written"), "").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ReadOnlyFilesystem);
    Ok(())
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}
