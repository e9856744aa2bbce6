//! The Rust code that prost generates from `proto/`. The comments come from the `.proto` files.

#![expect(clippy::pedantic, reason = "generated code; its style is prost's")]

include!(concat!(env!("OUT_DIR"), "/flyteidl.core.rs"));
