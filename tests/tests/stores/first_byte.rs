//! What the smallest tasks ask a store for, over TLS: each request, each connection, and which of them wait for
//! others. A store is tens of milliseconds away, so what waits costs more than all of our own work.

use std::fs;
use std::ops::Range;
use std::process::Command;
use std::sync::Arc;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{Literal, LiteralMap, Message as _, SimpleType, TypedInterface, primitive};
use copilot_tests::background::Background;
use copilot_tests::binary;
use copilot_tests::boundless::BoundlessServer;
use copilot_tests::flags;
use copilot_tests::strain::{Rule, Strain};
use copilot_tests::task::{Task, blob, blob_type, interface, simple};
use copilot_tests::tls::{Authority, Handshakes, counted_front};
use rustls::HandshakeKind;

/// A task, and a store behind TLS that counts.
struct Cold {
    task: Task,
    server: BoundlessServer,
    strain: Arc<Strain>,
    handshakes: Handshakes,
    front: Background,
}

impl Cold {
    /// The requests of these numbers, from 0, must come without waiting for each other.
    fn start(together: Range<usize>) -> Self {
        let strain = Arc::new(Strain::new(|_| Rule::NONE).together(together));
        let server = BoundlessServer::start_under(Arc::clone(&strain)).unwrap();
        let authority = Authority::new("the store's").unwrap();
        let config = authority.certify("127.0.0.1").unwrap();
        let handshakes = Handshakes::default();
        let front = counted_front(server.address(), config, handshakes.clone()).unwrap();
        let task = Task::start().unwrap();
        fs::write(task.site.work("authority.pem"), authority.pem()).unwrap();
        Self {
            task,
            server,
            strain,
            handshakes,
            front,
        }
    }

    fn put_inputs(&self, literal: Literal) {
        let literals = [("in".to_owned(), literal)].into();
        let inputs = LiteralMap { literals }.encode_to_vec();
        self.server.put("data/task/inputs.pb", inputs);
    }

    fn command(&self, arguments: Vec<String>) -> Command {
        let mut command = binary::command();
        let endpoint = format!("https://{}", self.front.address());
        command
            .env("AWS_CA_BUNDLE", self.task.site.work("authority.pem"))
            .args(flags::s3(&endpoint, "data", ("id", "secret")))
            .args(arguments);
        command
    }

    fn download(&self) {
        let ended = binary::run(&mut self.command(self.task.download_arguments()));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
    }

    fn upload(&self, interface: &TypedInterface) {
        let mut command = self.command(self.task.sidecar_arguments(interface));
        let ended = binary::run(command.arg("--watcher=noop"));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
    }

    /// The requests in the order in which they came, but those of these numbers in the order of their text.
    fn asked(&self, together: Range<usize>) -> Vec<String> {
        let mut asked = self.strain.counts().asked;
        if let Some(together) = asked.get_mut(together) {
            together.sort_unstable();
        }
        asked
    }

    /// So many connections were opened; each handshake takes one round trip.
    #[track_caller]
    fn assert_connections(&self, count: usize) {
        assert_eq!(self.strain.counts().connections, count);
        let handshakes = self.handshakes.all();
        assert_eq!(handshakes.len(), count);
        // A second hello would be a second round trip.
        let second = HandshakeKind::FullWithHelloRetryRequest;
        assert!(!handshakes.contains(&second), "{handshakes:?}");
    }
}

const DOCUMENTS: [&str; 2] = [
    "HEAD /data/task/out/error.pb",
    "HEAD /data/task/out/errors.pb",
];

/// Nothing waits but the request for its connection.
#[test]
fn an_integer_comes_after_one_request() {
    let cold = Cold::start(0..3);
    cold.put_inputs(primitive::Value::Integer(1).into());
    cold.download();
    let expected = ["GET /data/task/inputs.pb", DOCUMENTS[0], DOCUMENTS[1]];
    assert_eq!(cold.asked(0..3), expected);
    cold.assert_connections(3);
}

/// The inputs name the file, so two requests follow each other; the second one takes an open connection.
#[test]
fn a_small_file_comes_after_two_requests() {
    let cold = Cold::start(0..3);
    cold.put_inputs(blob("s3://data/sized/1000", Single));
    cold.download();
    let expected = [
        "GET /data/task/inputs.pb",
        DOCUMENTS[0],
        DOCUMENTS[1],
        "GET /data/sized/1000",
    ];
    assert_eq!(cold.asked(0..3), expected);
    cold.assert_connections(3);
}

/// A sidecar that has not seen main end asks first whether an earlier run has committed the outputs. One in a pod has
/// seen it.
const UNSEEN: &str = "GET /data/task/out/outputs.pb";

/// What an earlier run has left is looked for first: a reader would believe it.
#[test]
fn an_integer_is_committed_after_two_requests() {
    let cold = Cold::start(1..3);
    cold.task.write_output("n", "1");
    cold.upload(&interface([("n", simple(SimpleType::Integer))]));
    let commit = "PUT /data/task/out/outputs.pb";
    let expected = [UNSEEN, DOCUMENTS[0], DOCUMENTS[1], commit];
    assert_eq!(cold.asked(1..3), expected);
    cold.assert_connections(2);
}

/// What an earlier run has left is looked for at once, then come the data, then the commit.
#[test]
fn a_small_file_is_committed_after_three_requests() {
    let cold = Cold::start(1..4);
    cold.task.write_output("f", "content");
    cold.upload(&interface([("f", blob_type(Single))]));
    let expected = [
        UNSEEN,
        DOCUMENTS[0],
        DOCUMENTS[1],
        "HEAD /data/task/out/outputs.pb",
        "PUT /data/task/raw/f",
        "PUT /data/task/out/outputs.pb",
    ];
    assert_eq!(cold.asked(1..4), expected);
    cold.assert_connections(3);
}

/// A connection that is opened later goes on with the session of an earlier one: no certificate is sent and
/// checked.
#[test]
fn later_connections_resume_a_session() {
    let cold = Cold::start(0..3);
    cold.put_inputs(blob("s3://data/many/100/1000", Multipart));
    cold.download();
    let handshakes = cold.handshakes.all();
    assert!(
        handshakes.contains(&HandshakeKind::Resumed),
        "{handshakes:?}"
    );
}

/// The system has hundreds of files with authorities.
#[test]
fn plain_http_reads_no_authorities() {
    const READ: &str = "TLS roots loaded";
    let task = Task::start().unwrap();
    task.put_inputs([("in", primitive::Value::Integer(1).into())]);
    let ended = binary::run(task.download().arg("--logger.level=5"));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(!ended.stderr.contains(READ), "{}", ended.stderr);

    let cold = Cold::start(0..3);
    cold.put_inputs(primitive::Value::Integer(1).into());
    let mut command = cold.command(cold.task.download_arguments());
    let ended = binary::run(command.arg("--logger.level=5"));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    ended.assert_logged(&[READ]);
}

/// The library of ciphers can gather randomness from the jitter of the processor's clock. That takes 35 ms before the
/// first handshake, longer than a round trip. A release has no names of functions left, but is built alike.
#[test]
fn randomness_comes_from_the_kernel() {
    let mut search = Command::new("grep");
    search.args(["--quiet", "--text", "jent_entropy_collector"]);
    let found = search.arg(binary::path()).status().unwrap();
    // It would be 2 if the program could not be read.
    assert_eq!(
        found.code(),
        Some(1),
        "AWS_LC_SYS_NO_JITTER_ENTROPY was not set for the build"
    );
}
