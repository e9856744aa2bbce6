//! literal

pub mod duration;
