//! After main's end its children may still write: waits until its containers hold no process.
//!
//! `cgroup.events` says so for certain, if the pod's directory of the cgroup2 tree is mounted here.
//! Otherwise a look at the visible processes decides.

use std::{fs, io, path::Path, time::Duration};

use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::track::{
    ContainerId,
    place::{Place, directory},
    scan::Scanner,
};

/// The pause before the second look; each later pause is twice as long. It is short, because the kernel
/// reports main's end a moment before main is gone.
const FIRST_STEP: Duration = Duration::from_millis(1);

/// The longest pause between two looks.
const LAST_STEP: Duration = Duration::from_millis(50);

/// Waits until these containers are empty, or the limit has passed.
pub async fn settle(place: &Place, mains: &[ContainerId], limit: Duration) {
    let deadline = Instant::now() + limit;
    let mut scanner = Scanner::new(place.clone());
    let mut step = FIRST_STEP;
    while !are_empty(place, mains, &mut scanner) {
        if Instant::now() >= deadline {
            warn!(
                limit_seconds = limit.as_secs_f64(),
                "processes of main's container live on; what they write from now on is not uploaded"
            );
            return;
        }
        sleep(step).await;
        step = (step * 2).min(LAST_STEP);
    }
}

fn are_empty(place: &Place, mains: &[ContainerId], scanner: &mut Scanner) -> bool {
    // In cgroup v1 no file says so.
    if place.unified
        && let Some(pod) = &place.directory
        && let Ok(populated) = mains
            .iter()
            .map(|main| is_populated(pod, main))
            .collect::<io::Result<Vec<bool>>>()
    {
        return !populated.contains(&true);
    }
    scanner.living_in(mains) == Some(0)
}

/// Whether a container's cgroup, or one below it, holds a process. A removed cgroup holds none.
fn is_populated(pod: &Path, container: &ContainerId) -> io::Result<bool> {
    let Some(directory) = directory::find(pod, container)? else {
        return Ok(false);
    };
    match fs::read_to_string(directory.join("cgroup.events")) {
        Ok(text) => Ok(text.lines().any(|line| line == "populated 1")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        // The cgroup was removed while it was read.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error()) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
