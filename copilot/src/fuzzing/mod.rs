//! What others send us, as targets of a fuzzer: each takes any bytes, and checks more than that nothing panics.
//!
//! The checks of private functions stand beside them (`fuzz.rs` in their area); those of public ones here. The
//! crate `fuzz/` runs the targets with coverage; the tests below replay its corpus and mutate it. Never in
//! the product: the module exists for tests and with the feature `fuzzing` only.

mod places;
mod reports;
#[cfg(test)]
mod tests;

pub(crate) use reports::fits;

/// A target: its name, and what it does with an input.
pub type FuzzTarget = (&'static str, fn(&[u8]));

/// All targets, by name.
pub const TARGETS: &[FuzzTarget] = &[
    ("cgroups", places::cgroups),
    ("documents", reports::documents),
    ("error_file", crate::literal::fuzz::error_file),
    ("ini", crate::store::fuzz::ini),
    ("interfaces", crate::literal::fuzz::interfaces),
    ("journal", crate::upload::fuzz::journal),
    #[cfg(feature = "kube-api")]
    ("kube", crate::track::source::kube::fuzz::answers),
    ("listings", crate::store::fuzz::listings),
    ("literals", crate::literal::fuzz::literals),
    ("messagepack", crate::literal::fuzz::messagepack),
    ("mounts", places::mounts),
    ("references", crate::store::fuzz::references),
    ("replies", crate::store::fuzz::replies),
    ("settings", reports::settings),
    ("times", crate::literal::fuzz::times),
    ("yaml", crate::literal::fuzz::yaml),
];

/// Two inputs in one: the first has as many bytes as the first two bytes say.
pub(crate) fn split(data: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = data.split_first_chunk() else {
        return (data, &[]);
    };
    let length = usize::from(u16::from_le_bytes(*length));
    rest.split_at(length.min(rest.len()))
}
