//! `copilot doctor`: what will work here, what will not, what that costs, and how to mend it.
//!
//! [`gather`] looks at the machine and the stores, and gives [`facts`]. [`judge`] turns facts into [`Finding`]s, and
//! [`pod`] does so for a pod's manifest, without a cluster; both are pure. A [`Diagnosis`] holds them, as text and as
//! JSON. Never here: changing anything, apart from the object of `--probe`; flags, exit codes, printing. Called by
//! `command`.

mod diagnosis;
pub mod facts;
mod finding;
pub mod gather;
pub mod judge;
pub mod pod;
mod request;

pub use diagnosis::Diagnosis;
pub use finding::{Finding, Group, Verdict};
pub use request::{ArgumentReader, ContainerJob, DoctorRequest, RefusedArguments};
