//! The processors that Copilot runs on, and what each is called by whom.

use clap::ValueEnum;

/// A processor, by its name in images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Architecture {
    /// x86-64.
    Amd64,
    /// Arm with 64 bits.
    Arm64,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Amd64, Self::Arm64];

    /// That of this machine, if Copilot runs on it.
    pub fn of_this_machine() -> Option<Self> {
        let machine = std::env::consts::ARCH;
        Self::ALL.into_iter().find(|one| one.machine() == machine)
    }

    /// Its name in images (Go's `GOARCH`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// Its name for the kernel, rustc and GNU's tools.
    pub fn machine(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }

    /// The target of rustc.
    pub fn target(self) -> String {
        format!("{}-unknown-linux-gnu", self.machine())
    }

    /// The C compiler that builds for it on any machine.
    pub fn c_compiler(self) -> String {
        format!("{}-linux-gnu-gcc", self.machine())
    }

    /// Debian's static emulator of it.
    pub fn emulator(self) -> String {
        format!("qemu-{}-static", self.machine())
    }
}
