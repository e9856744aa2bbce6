//! What the kernel shows of cgroups and mounts. Main may choose some of the names in it.

use crate::track::mounts::MountEvidence;
use crate::track::place::{Membership, PodPath, cgroup};

/// The text of a file `/proc/PID/cgroup`: what is found stands in the text.
pub(super) fn cgroups(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    let _ = cgroup::controllers(text, "/");
    let container = cgroup::container_path(text).map(|(path, _)| path);
    let found = [
        cgroup::unified_path(text),
        container,
        cgroup::path_of_controller(text, "memory"),
    ];
    for path in found.into_iter().flatten() {
        assert!(text.contains(path));
        check_path(path);
    }
    check_path(text);
}

fn check_path(path: &str) {
    assert!(cgroup::is_same_container(path, path) || cgroup::container_from_name(path).is_none());
    if let Some(id) = cgroup::container_from_name(path) {
        assert!(path.contains(&id.to_string()));
    }
    if let Some(count) = cgroup::pod_components(path) {
        assert!(count <= cgroup::components(path).count());
    }
    let (steps, rest) = cgroup::split_steps(path);
    assert!(steps * 2 <= path.len() && path.ends_with(rest));
    let _ = cgroup::steps_of_neighbour(path);
    let _ = cgroup::uid_of(path);
    let pod = PodPath::Absolute(path.to_owned());
    assert_eq!(pod.membership(path), Membership::Pod);
    if let Some((level, name)) = cgroup::beside(path) {
        assert!(level <= cgroup::components(path).count() && path.contains(name));
    }
}

/// The text of a file `/proc/PID/mountinfo`: no more mounts than lines, and no name that is not there.
pub(super) fn mounts(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    let evidence = MountEvidence::from_mountinfo(text);
    let size = format!("{evidence:?}").len();
    assert!(size <= 16 * text.len() + 4096, "{size}");
    if let Some(early) = MountEvidence::from_runtimes_mountinfo(text) {
        assert!(early.name.is_some() && early.name == evidence.name);
    }
}
