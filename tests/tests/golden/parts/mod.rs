//! Tests of the pure parts: `idl` and `literal`, without a store.

mod download;
mod mutations;
mod scalars;
mod upload;
mod yaml;
