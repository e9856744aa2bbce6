//! The golden vectors (`tests/golden`): Copilot must leave the same on disk and in the store as the
//! reference did, or what the vector says instead.

#![cfg(test)]

mod case;
mod parts;
mod program;
mod yaml11;
