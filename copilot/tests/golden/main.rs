//! The golden vectors (`tests/golden`) against the pure parts: `idl` and `literal`, without a store.

mod case;
mod download;
mod scalars;
mod upload;
mod yaml;
mod yaml11;
