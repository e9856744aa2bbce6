//! The program with its default timeouts, over a network with temporary faults.

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary;
use copilot_tests::fault::{FaultProxy, Schedule};
use copilot_tests::site::bytes;
use copilot_tests::task::{Task, blob, blob_type, files, interface};

use super::MIB;
use super::random::seed;

#[test]
fn inputs_and_outputs_get_through() {
    let seed = seed();
    eprintln!("COPILOT_FAULT_SEED={seed}");
    for number in 0..3 {
        let schedule = Schedule {
            seed: seed.wrapping_add(number),
            rate: 200,
            dead_from: None,
            silences: false,
        };
        let task = Task::start().unwrap();
        let upstream = task.site.server.address();
        let proxy = FaultProxy::start(upstream, move |seen| schedule.fault(seen)).unwrap();
        let endpoint = format!("endpoint={}", proxy.endpoint());
        task.put("task/in/large", bytes(12 * MIB, seed));
        for name in 0..20 {
            task.put(&format!("task/in/dir/{name}"), bytes(name * 1000, 1));
        }
        task.put_inputs([
            ("large", blob("s3://data/task/in/large", Single)),
            ("dir", blob("s3://data/task/in/dir", Multipart)),
        ]);
        let mut download = task.download();
        let ended = binary::run(download.args(["--storage.stow.config", &endpoint]));
        let story = || format!("{schedule:?} {:#?}", proxy.seen());
        assert_eq!(ended.code(), 0, "{}\n{}", ended.stderr, story());
        let mut inputs = files(&task.inputs_dir());
        assert!(inputs.remove("inputs.pb").is_some() && inputs.remove("inputs.json").is_some());
        assert!(inputs == task.objects("task/in"), "{}", story());

        for (name, content) in &inputs {
            task.write_output(name, content);
        }
        let declared = [("large", blob_type(Single)), ("dir", blob_type(Multipart))];
        let mut sidecar = task.sidecar(&interface(declared));
        let ended = binary::run(sidecar.args(["--storage.stow.config", &endpoint]));
        assert_eq!(ended.code(), 0, "{}\n{}", ended.stderr, story());
        assert!(inputs == task.objects("task/raw"), "{}", story());
        assert_eq!(task.outputs().unwrap().literals.len(), 2);
        if !task.site.server.unfinished_uploads().unwrap().is_empty() {
            let said = ended
                .stderr
                .contains("unfinished multipart upload may remain");
            assert!(said, "{}\n{}", ended.stderr, story());
        }
    }
}
