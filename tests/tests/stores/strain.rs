//! Stores that bear less than what would help: everything is copied, few requests are refused, and no client
//! waits for the others to end. Requests are counted, not times.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use copilot::config::StorageSettings;
use copilot::idl::blob_type::BlobDimensionality::Multipart;
use copilot::idl::{LiteralMap, Message as _};
use copilot::store::{Network, Reference, Stores};
use copilot::transfer::{Copy, Engine, TransferLimits};
use copilot_tests::binary::{self, Running};
use copilot_tests::boundless::BoundlessServer;
use copilot_tests::flags;
use copilot_tests::site::{closed_environment, local_file, names, place, run};
use copilot_tests::strain::{Counts, Rule, Strain};
use copilot_tests::task::blob;
use futures_util::future::join_all;

/// Bytes of an object.
const SIZE: usize = 1024;

/// The keys of a server that checks no signatures.
const KEYS: (&str, &str) = ("id", "secret");

const fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// A server, and what it counts.
fn serve(strain: Strain) -> (BoundlessServer, Arc<Strain>) {
    let strain = Arc::new(strain);
    let server = BoundlessServer::start_under(Arc::clone(&strain)).unwrap();
    (server, strain)
}

/// An engine like the program's, whose bucket is `client`.
fn engine(server: &BoundlessServer, client: &str) -> Engine {
    let endpoint = server.endpoint();
    let pairs = flags::s3_config(&endpoint, KEYS).into_iter();
    let settings = StorageSettings {
        store_type: "stow".to_owned(),
        stow_kind: "s3".to_owned(),
        stow_config: pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        container: client.to_owned(),
        ..StorageSettings::default()
    };
    let stores = Stores::new(settings, Network::default(), closed_environment());
    Engine::new(Arc::new(stores), TransferLimits::within(None))
}

/// Downloads so many objects into `to`.
async fn download(server: &BoundlessServer, client: &str, objects: usize, to: &Path) {
    let from = format!("s3://{client}/many/{objects}/{SIZE}");
    let copy = Copy::DownloadPrefix {
        from: Reference::parse(&from).unwrap(),
        to: place(to),
    };
    run(&engine(server, client), vec![copy]).await.unwrap();
    assert_eq!(names(to).len(), objects, "{client}");
}

/// Uploads a file to so many objects.
async fn upload(server: &BoundlessServer, objects: usize, file: &Path) {
    std::fs::write(file, vec![7; SIZE]).unwrap();
    let copies = (0..objects).map(|number| Copy::Upload {
        from: local_file(file.to_owned()),
        to: Reference::parse(&format!("s3://one/up/{number}")).unwrap(),
        resume: None,
    });
    run(&engine(server, "one"), copies.collect()).await.unwrap();
    let written = u64::try_from(objects).unwrap();
    assert_eq!(server.received(), (written, written * SIZE as u64));
}

/// At most one request in `share` is refused.
#[track_caller]
fn assert_few_refusals(counts: &Counts, share: usize) {
    let (asked, refused) = (counts.asked.len(), counts.refused.len());
    assert!(refused * share <= asked, "{refused} of {asked} are refused");
}

/// When the first client has all of its objects, each of the others has at least one in `share` of its own.
#[track_caller]
fn assert_none_starves(counts: &Counts, clients: usize, objects: usize, share: usize) {
    let then = counts.when_the_first_ended.as_ref().unwrap();
    assert_eq!(then.len(), clients);
    for (client, served) in then {
        assert!(served * share >= objects, "{client} starves: {then:?}");
    }
    // On a busy machine a request may be sent twice.
    assert!(counts.objects.values().all(|served| *served >= objects));
}

#[tokio::test]
async fn a_host_that_bears_twenty_requests_at_once_refuses_few() {
    const OBJECTS: usize = 2000;
    let rule = |_| Rule {
        bears: 20,
        work: ms(3),
    };
    let place = tempfile::tempdir().unwrap();
    let (server, strain) = serve(Strain::new(rule));
    download(&server, "one", OBJECTS, &place.path().join("in")).await;
    let counts = strain.counts();
    assert_few_refusals(&counts, 20);
    assert!(counts.most == 20, "{}", counts.most);

    let (server, strain) = serve(Strain::new(rule));
    upload(&server, OBJECTS, &place.path().join("out")).await;
    let counts = strain.counts();
    assert_few_refusals(&counts, 20);
    assert!(counts.most == 20, "{}", counts.most);
}

/// It bears less and less: each time a few refusals tell, and the limit follows.
#[tokio::test]
async fn a_host_that_bears_less_and_less_is_followed() {
    let rule = |before| Rule {
        bears: match before {
            0..1000 => 60,
            1000..2000 => 20,
            _ => 6,
        },
        work: ms(3),
    };
    let place = tempfile::tempdir().unwrap();
    let (server, strain) = serve(Strain::new(rule));
    download(&server, "one", 3000, &place.path().join("in")).await;
    let counts = strain.counts();
    assert_few_refusals(&counts, 12);
    // The first refusals after a change are many, and then it is known.
    let late = |refused: &&usize| (1200..2000).contains(*refused) || **refused >= 2200;
    let late = counts.refused.iter().filter(late).count();
    assert!(late * 25 <= counts.asked.len(), "{:?}", counts.refused);
}

/// It takes forty times as long in the end: that refuses nothing, and no request is sent twice.
#[tokio::test]
async fn a_host_that_slows_down_is_waited_for() {
    const OBJECTS: usize = 1500;
    let rule = |before: usize| Rule {
        work: ms(1) * u32::try_from(1 + before * 40 / OBJECTS).unwrap(),
        ..Rule::NONE
    };
    let place = tempfile::tempdir().unwrap();
    let (server, strain) = serve(Strain::new(rule));
    download(&server, "one", OBJECTS, &place.path().join("in")).await;
    let counts = strain.counts();
    let pages = OBJECTS.div_ceil(1000);
    assert_eq!(counts.asked.len(), OBJECTS + pages);
    assert!(counts.refused.is_empty(), "{:?}", counts.refused);
}

/// Nobody tells them how many there are.
#[tokio::test]
async fn eight_clients_share_a_host_that_bears_twenty() {
    const CLIENTS: usize = 8;
    const OBJECTS: usize = 500;
    let rule = |_| Rule {
        bears: 20,
        work: ms(3),
    };
    let (server, strain) = serve(Strain::new(rule).for_clients(CLIENTS, OBJECTS));
    let place = tempfile::tempdir().unwrap();
    let downloads = (0..CLIENTS).map(async |number| {
        let client = format!("client-{number}");
        let to = place.path().join(&client);
        download(&server, &client, OBJECTS, &to).await;
    });
    join_all(downloads).await;
    let counts = strain.counts();
    assert_few_refusals(&counts, 6);
    assert_none_starves(&counts, CLIENTS, OBJECTS, 20);
}

/// Starts the program, which downloads so many objects into `to`.
fn start(server: &BoundlessServer, client: &str, objects: usize, to: &Path) -> Running {
    let from = format!("s3://{client}/many/{objects}/{SIZE}");
    let literals = [("in".to_owned(), blob(&from, Multipart))].into();
    let inputs = LiteralMap { literals }.encode_to_vec();
    server.put(&format!("{client}/task/inputs.pb"), inputs);
    let task = format!("s3://{client}/task");
    let mut command = binary::command();
    command
        .args(flags::s3(&server.endpoint(), client, KEYS))
        .arg("--logger.level=5")
        .args(["download", "--from-remote", &format!("{task}/inputs.pb")])
        .args(["--to-output-prefix", &format!("{task}/out")])
        .arg("--to-local-dir")
        .arg(to);
    Running::start(&mut command)
}

/// The limit that a line of the log tells.
fn limit_of(line: &str) -> Option<usize> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let is_one = line["msg"] == "another limit";
    let limit = line["json"]["limit"].as_u64().filter(|_| is_one)?;
    usize::try_from(limit).ok()
}

/// A connection is used again as soon as its answer has been read. Many answers arrive at once here, as from afar.
#[test]
fn a_run_opens_few_more_connections_than_it_uses_at_once() {
    const OBJECTS: usize = 2000;
    let rule = |_| Rule {
        work: ms(50),
        ..Rule::NONE
    };
    let (server, strain) = serve(Strain::new(rule));
    let place = tempfile::tempdir().unwrap();
    let ended = start(&server, "one", OBJECTS, place.path()).ended();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let counts = strain.counts();
    // Of the first one no line tells.
    let limits = ended.stderr.lines().filter_map(limit_of);
    let limit = limits.max().unwrap_or_default().max(32);
    let opened = counts.connections;
    assert!(opened <= 2 * limit, "{opened} for {limit}");
}

/// The pods of a node, each a process of its own. The store works on a few requests at once, and others wait in
/// line: a client that sends more gets more.
#[test]
fn fifty_downloads_at_once_all_go_on() {
    const CLIENTS: usize = 50;
    const OBJECTS: usize = 80;
    let rule = |_| Rule {
        work: ms(1),
        ..Rule::NONE
    };
    let strain = Strain::new(rule).of_workers(16);
    let (server, strain) = serve(strain.for_clients(CLIENTS, OBJECTS));
    let place = tempfile::tempdir().unwrap();
    let start = |number: usize| {
        let client = format!("client-{number}");
        start(&server, &client, OBJECTS, &place.path().join(&client))
    };
    let clients: Vec<Running> = (0..CLIENTS).map(start).collect();
    for client in clients {
        let ended = client.ended();
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
    }
    let counts = strain.counts();
    assert!(counts.refused.is_empty(), "{:?}", counts.refused);
    assert_none_starves(&counts, CLIENTS, OBJECTS, 4);
    for number in 0..CLIENTS {
        let files = names(&place.path().join(format!("client-{number}/in")));
        assert_eq!(files.len(), OBJECTS);
    }
}
