//! Texts: numbers and times, the kernel's files, references.

use copilot::literal::{datetime, duration, float};
use copilot::store::Reference;
use copilot::track::place::{Membership, PodPath, cgroup};
use copilot::track::{ContainerId, mounts::MountEvidence};
use proptest::prelude::*;

use crate::memory::peak_of;
use crate::mutation::almost_text;

/// Memory that any answer may take, in bytes, and how much more for each byte of text.
const MEMORY: (usize, usize) = (16 << 10, 100);

fn bounded<T>(text: &str, work: impl FnOnce(&str) -> T) -> T {
    let (outcome, peak) = peak_of(|| work(text));
    let (fixed, each) = MEMORY;
    assert!(
        peak <= fixed + each * text.len(),
        "{peak} bytes for {text:?}"
    );
    outcome
}

const DURATIONS: &[&str] = &[
    "1h30m",
    "-1.5h",
    "2562047h47m16.854775807s",
    ".5s",
    "1µs",
    "0",
    "300ms",
];
const DATETIMES: &[&str] = &[
    "2024-02-29T12:34:56.789012345Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T5:06:07,5-00:30",
];
const FLOATS: &[&str] = &[
    "1_000.5e-3",
    "0x1.8p-1074",
    "-Infinity",
    "nan",
    "179769313486231570000",
    "+.5",
];
const REFERENCES: &[&str] = &[
    "s3://bucket/some/key%20é?x=1#f",
    "abfs://container@account.dfs.core.windows.net/a//b/",
    "https://user:secret@host:80/p/../q",
    "file:///a/./b",
    "x:y",
    "%41/%zz",
];
const CGROUPS: &[&str] = &[
    "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod2c48913c_b29f_11ec_83fd_ca5d0b5a9a0b.slice/cri-containerd-0123456789abcdef0123456789abcdef.scope\n",
    "12:memory:/kubepods/besteffort/pod2c48913c-b29f-11ec-83fd-ca5d0b5a9a0b/x (deleted)\n0::/\n",
    "0::/../../y/container\n",
];
const MOUNTS: &[&str] = &[
    "36 35 98:0 /var/lib/kubelet/pods/2c48913c/containers/main/0123abcd /dev/termination-log rw,noatime master:1 - ext4 /dev/root rw,errors=continue\n",
    "37 35 0:5 /pods/2c48913c/volumes/kubernetes.io~empty-dir/out /var/out\\040puts rw shared:7 propagate_from:2 - tmpfs tmpfs rw\n",
    "38 35 0:5 /sandboxes/0123/resolv.conf /etc/resolv.conf ro - ext4 /dev/x rw\n39 1 0:1 / / rw - overlay o rw\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// What a text says is said in another way, and that is read alike.
    #[test]
    fn durations(text in almost_text(DURATIONS)) {
        if let Ok(nanoseconds) = bounded(&text, duration::parse) {
            let again = duration::format(nanoseconds);
            prop_assert_eq!(duration::parse(&again), Ok(nanoseconds), "{}", again);
        }
    }

    #[test]
    fn datetimes(text in almost_text(DATETIMES)) {
        if let Ok(timestamp) = bounded(&text, datetime::parse) {
            prop_assert!((0..1_000_000_000).contains(&timestamp.nanos));
            let again = datetime::format(&timestamp);
            if let Ok(read) = datetime::parse(&again) {
                prop_assert_eq!(read, timestamp);
            } else {
                // Zones move a time beyond the years that a text can name.
                let year = again.trim_start_matches('-').split('-').next().unwrap_or_default();
                prop_assert!(again.starts_with('-') || year == "0000" || year.len() > 4, "{}", again);
            }
        }
    }

    #[test]
    fn floats(text in almost_text(FLOATS)) {
        if let Ok(value) = bounded(&text, float::parse) {
            let plain = float::plain(value);
            let again = float::parse(&plain).map(f64::to_bits);
            prop_assert!(value.is_nan() || again == Ok(value.to_bits()), "{}", plain);
        }
    }

    #[test]
    fn references(text in almost_text(REFERENCES), name in "[^\0]{0,12}") {
        let Ok(reference) = bounded(&text, Reference::parse) else { return Ok(()) };
        let joined = bounded(&text, |_| reference.join(&[name.as_str()]));
        if let Ok(joined) = joined {
            // It names the same object when it is read again.
            let Ok(again) = Reference::parse(&joined.to_string()) else {
                // Web addresses hold no control characters, and nothing is written there.
                prop_assert!(reference.is_web() && name.contains(|c: char| c.is_ascii_control()));
                return Ok(());
            };
            prop_assert_eq!(again.key(), joined.key());
            prop_assert_eq!(again.container(), joined.container());
            prop_assert!(joined.key().ends_with(name.trim_matches('/')));
        }
        prop_assert!(!reference.shown().starts_with("https://user:secret@"));
    }

    #[test]
    fn cgroups(text in almost_text(CGROUPS), path in almost_text(CGROUPS)) {
        if let Some((found, _)) = bounded(&text, |text| cgroup::container_path(text).map(|(path, unified)| (path.to_owned(), unified))) {
            prop_assert!(found.starts_with('/'));
            for pod in [PodPath::Absolute("/kubepods.slice".to_owned()), PodPath::Above(1)] {
                if let Membership::Container(id) = bounded(&found, |found| pod.membership(found)) {
                    prop_assert!(!id.to_string().contains('/'));
                }
            }
        }
        let _ = bounded(&path, |path| (cgroup::pod_components(path), cgroup::steps_of_neighbour(path)));
        let _ = ContainerId::new(&path);
    }

    #[test]
    fn mounts(text in almost_text(MOUNTS)) {
        let evidence = bounded(&text, MountEvidence::from_mountinfo);
        prop_assert!(evidence.mounts.len() <= text.lines().count());
        // The sandbox has no name of its own.
        prop_assert!(!(evidence.is_sandbox && evidence.name.is_some()));
    }
}
