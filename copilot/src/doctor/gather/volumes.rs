//! The directories that we share with main.

use std::fs;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

use crate::beneath::SharedDirectory;
use crate::doctor::DoctorRequest;
use crate::doctor::facts::{DirectoryFacts, Purpose, Reason, VolumeFacts};
use crate::permission;
use crate::track::place::Place;
use crate::transfer::{has_room, room};

/// The directories that the flags name. `place` shows which of them are volumes.
#[must_use]
pub fn volumes(request: &DoctorRequest, place: Option<&Place>) -> Vec<VolumeFacts> {
    let outputs = request.from_local_dir.as_deref();
    let inputs = request.to_local_dir.as_deref();
    let outputs = outputs.map(|path| volume(Purpose::Outputs, path, None, place));
    let inputs = inputs.map(|path| volume(Purpose::Inputs, path, request.expect_size, place));
    outputs.into_iter().chain(inputs).collect()
}

fn volume(
    purpose: Purpose,
    path: &Path,
    expected: Option<u64>,
    place: Option<&Place>,
) -> VolumeFacts {
    // The downloader makes a directory that is missing.
    let there = match purpose {
        Purpose::Outputs => path,
        Purpose::Inputs => path
            .ancestors()
            .find(|above| above.symlink_metadata().is_ok())
            .unwrap_or(path),
    };
    VolumeFacts {
        purpose,
        path: path.to_owned(),
        directory: directory(purpose, there, expected, place),
    }
}

fn directory(
    purpose: Purpose,
    path: &Path,
    expected: Option<u64>,
    place: Option<&Place>,
) -> Result<DirectoryFacts, Reason> {
    let opened = SharedDirectory::at(path).open()?;
    let real = opened.real_path().unwrap_or_else(|| path.to_owned());
    let evidence = place.map(|place| &place.evidence);
    let evidence = evidence.filter(|evidence| evidence.is_of_a_pod());
    Ok(DirectoryFacts {
        room: room(&real),
        is_volume: evidence.map(|evidence| evidence.mount_of(&real).is_some()),
        access: access(purpose, &real),
        fits: expected.map(|bytes| (bytes, has_room(&opened, bytes).map_err(Reason::from))),
    })
}

/// Whether the kernel lets us do there what the directory is for.
fn access(purpose: Purpose, path: &Path) -> Result<(), Reason> {
    let (wanted, what) = match purpose {
        Purpose::Outputs => (Access::READ_OK, "read"),
        Purpose::Inputs => (Access::WRITE_OK, "write to"),
    };
    let asked = accessat(CWD, path, wanted | Access::EXEC_OK, AtFlags::EACCESS);
    match asked {
        Ok(()) => Ok(()),
        Err(Errno::ROFS) => Err(Reason(
            "it is mounted read-only. Remove readOnly from the volumeMount of this container"
                .to_owned(),
        )),
        // Some kernels do not answer with effective ids; then the first read tells.
        Err(Errno::INVAL | Errno::NOSYS) => fs::read_dir(path).map(drop).map_err(Reason::from),
        Err(error) => Err(Reason(format!(
            "we may not {what} it ({error}): {}",
            permission::advice(path)
        ))),
    }
}
