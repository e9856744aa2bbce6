//! `copilot run`: one task on this machine, without a cluster.
//!
//! It makes the task's directories ([`Workspace`](workspace::Workspace)), lays the inputs out by the download job,
//! fills the command in (`template`, `places`), runs it (`program`) in a cgroup of its own (`cgroup`) or in an
//! image (`image`), watches it by the tracker, and reads or uploads its outputs (`upload`). [`check`] only reads
//! outputs. Never here: flags, printing, exit codes. Caller: `command`.

mod cgroup;
mod check;
mod error;
mod image;
mod interface;
mod job;
mod places;
mod printed;
mod program;
mod request;
mod result;
mod target;
mod template;
mod workspace;

pub use check::check;
pub use error::TrialError;
pub use job::run;
pub use request::{Action, Runtime, TrialRequest};
pub use result::{CommandEnd, OutputsFound, TrialResult};
