//! What runs in the virtual machines of `cargo xtask kernels`: the tracker's core scenarios on a
//! kernel that is not this machine's.
//!
//! [`init`] is the first process of the machine, [`fixture`] a pod of real cgroups with the
//! built sidecar in it and a store on disk, [`scenarios`] what must come out, [`parts`] the mains that a
//! shell cannot play. The console is the only way out: lines that begin with [`REPORT`].
//! Never here: anything that knows how the machine was made. Called by the program `guest`.

mod fixture;
pub mod init;
pub mod parts;
pub mod scenarios;

/// How a line of the console begins that is meant for whoever booted the machine; then comes
/// `pass`, `fail` or `done`, and the scenario's name. The reason of a failure follows in lines of
/// their own.
pub const REPORT: &str = "@copilot";

/// Where the initramfs holds this program.
pub const PROGRAM: &str = "/bin/guest";

/// Where it holds the program under test.
pub const COPILOT: &str = "/bin/copilot";
