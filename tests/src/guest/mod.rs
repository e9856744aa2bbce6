//! What runs in the virtual machines of `cargo xtask kernels`: the tracker's core scenarios on another
//! kernel.
//!
//! [`init`] is the first process of the machine, [`fixture`] a pod of real cgroups with the
//! built sidecar in it and a store on disk, [`scenarios`] what must come out, [`parts`] the mains that
//! are no shell scripts. The console is the only way out: lines that begin with [`REPORT`].
//! Never here: anything that knows how the machine was made. Called by the program `guest`.

mod fixture;
pub mod init;
pub mod parts;
pub mod scenarios;

/// The beginning of a line of the console that is a report. `pass`, `fail` or `done` follows, and the name
/// of the scenario. The reason of a failure is in the lines after it.
pub const REPORT: &str = "@copilot";

/// The path of this program in the initramfs.
pub const PROGRAM: &str = "/bin/guest";

/// The path of the program under test in the initramfs.
pub const COPILOT: &str = "/bin/copilot";
