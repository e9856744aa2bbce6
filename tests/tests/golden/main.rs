//! The golden vectors (`tests/golden`) through the built program and a real S3 server: what the
//! reference left on disk and in the store, ours must leave, too, or what the vector says instead.

#[cfg(test)]
#[path = "../../../copilot/tests/golden/case.rs"]
mod case;
#[cfg(test)]
mod download;
#[cfg(test)]
mod report;
#[cfg(test)]
mod scalars;
#[cfg(test)]
mod upload;
#[cfg(test)]
#[path = "../../../copilot/tests/golden/yaml11.rs"]
mod yaml11;
