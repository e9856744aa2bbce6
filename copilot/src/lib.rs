//! Copilot: the data sidecar that lets any container take part in a Flyte workflow.
//!
//! One library, one tiny binary. Data runs left to right, once: [`cli`] turns argv into a typed request.
//! [`command`] runs a job for it ([`download`], [`sidecar`]). The job plans with [`literal`] and runs the
//! plan with [`transfer`] over [`store`]; [`report`] says how it ended. [`track`] knows when the pod's main
//! container starts and ends. [`describe`] shows and makes the platform's messages, [`trial`] runs a task on this
//! machine. [`doctor`] says what will work here, [`monitor`] shows what [`track`] sees, [`template`] prints what
//! Flyte merges into its pods. [`otlp`] sends a run's spans to a collector. [`confine`] says what others may do to this
//! process, and what it may do itself.
//! No module calls upward.

pub mod beneath;
pub mod cli;
pub mod command;
pub mod config;
pub mod confine;
pub mod describe;
pub mod doctor;
pub mod download;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod idl;
mod kernel;
pub mod limits;
pub mod literal;
pub mod monitor;
pub mod otlp;
pub mod permission;
pub mod report;
pub mod sidecar;
pub mod store;
pub mod template;
pub mod termination;
pub mod track;
pub mod transfer;
pub mod trial;
pub mod upload;
mod yaml;
