//! What prost makes of `proto/`. The comments are those of the `.proto` files.

#![expect(clippy::pedantic, reason = "generated code; its style is prost's")]

include!(concat!(env!("OUT_DIR"), "/flyteidl.core.rs"));
