//! The golden vectors (`tests/golden`): what the reference left on disk and in the store, ours must
//! leave, too, or what the vector says instead.

#![cfg(test)]

mod case;
mod parts;
mod program;
mod yaml11;
