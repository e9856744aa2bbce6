//! The loaded programs, and when the one that watches forks is attached.
//!
//! It runs at each fork of the node, and sends nothing while the programs are narrowed. So it is attached only while
//! they are not. Called by `attach`, and by the source when main begins or turns out not to be main.

use aya::{
    Ebpf,
    maps::Map,
    programs::{RawTracePoint, raw_trace_point::RawTracePointLinkId},
};
use tracing::{debug, warn};

use super::{
    EbpfError,
    error::LoadError,
    refusal::{load_failed, refused},
};
use crate::track::source::causes::with_causes;

/// The program that reports the first fork in a container.
pub const FORKS: &str = "process_fork";

/// The programs, attached until this is dropped.
pub struct Programs {
    loaded: Ebpf,
    forks: Forks,
}

/// What the program [`FORKS`] does.
enum Forks {
    /// It runs at each fork of the node.
    Watched(RawTracePointLinkId),
    /// It is loaded, and attached nowhere.
    Detached,
    /// It is unloaded.
    Over,
}

impl Programs {
    /// Attaches the program [`FORKS`]; the others are attached already.
    pub fn with_forks(loaded: Ebpf) -> Result<Self, EbpfError> {
        let mut programs = Self {
            loaded,
            forks: Forks::Detached,
        };
        programs.attach_forks()?;
        Ok(programs)
    }

    /// Takes a map out of them.
    pub fn take_map(&mut self, name: &str) -> Option<Map> {
        self.loaded.take_map(name)
    }

    /// Detaches the program that runs at each fork of the node; `for_good` unloads it, too. Needs no right.
    pub fn stop_watching_forks(&mut self, for_good: bool) {
        let after = if for_good {
            Forks::Over
        } else {
            Forks::Detached
        };
        let before = std::mem::replace(&mut self.forks, after);
        let stopped = program_of(&mut self.loaded, FORKS).and_then(|program| {
            match before {
                Forks::Watched(link) => program.detach(link).map_err(load_failed)?,
                Forks::Detached if for_good => {}
                Forks::Detached | Forks::Over => return Ok(()),
            }
            debug!(for_good, "main runs: forks are not watched");
            if for_good {
                program.unload().map_err(load_failed)?;
            }
            Ok(())
        });
        if let Err(error) = stopped {
            debug!(
                reason = with_causes(&error),
                "the program that watches forks stays attached"
            );
        }
    }

    /// Attaches it again. Needs no right, only the program's descriptor: the kernel checks rights when a program is
    /// loaded.
    pub fn watch_forks(&mut self) {
        if !matches!(self.forks, Forks::Detached) {
            return;
        }
        match self.attach_forks() {
            Ok(()) => debug!("main may be another container: forks are watched again"),
            Err(error) => warn!(
                reason = with_causes(&error),
                "the program that watches forks cannot be attached again: new containers are noticed when their \
                 programs begin, so the name of one that ends within milliseconds may stay unknown"
            ),
        }
    }

    fn attach_forks(&mut self) -> Result<(), EbpfError> {
        let program = program_of(&mut self.loaded, FORKS)?;
        let link = program.attach("sched_process_fork").map_err(refused)?;
        self.forks = Forks::Watched(link);
        Ok(())
    }
}

/// A program by its name in the object.
pub fn program_of<'a>(
    programs: &'a mut Ebpf,
    name: &str,
) -> Result<&'a mut RawTracePoint, EbpfError> {
    programs
        .program_mut(name)
        .ok_or_else(|| EbpfError::Load(LoadError::NoProgram(name.to_owned())))?
        .try_into()
        .map_err(load_failed)
}
