//! Compiles Flyte's messages.
fn main() {}
