//! From facts to findings: what each fact means, what it costs, how to mend it. Pure.
//!
//! One file for each group. What counts as worse depends on the rest: a pid namespace of our own costs nothing where
//! `ebpf` works. Called by `command`. Never here: looking at anything.

mod kernel;
mod limits;
mod place;
mod rights;
mod settings;
mod stores;
mod volumes;
mod watching;

use super::Finding;
use super::facts::Facts;

/// The findings about a machine and the stores.
#[must_use]
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let ebpf = facts.watching.ebpf();
    [
        kernel::judge(&facts.kernel, &facts.place),
        rights::judge(&facts.rights, ebpf.is_some()),
        place::judge(&facts.place, ebpf.is_some()),
        watching::judge(&facts.watching, &facts.place),
        limits::judge(&facts.limits),
        volumes::judge(&facts.volumes),
        settings::judge(&facts.settings),
        stores::judge(&facts.stores, facts.probed, facts.settings.is_ok()),
    ]
    .concat()
}

#[cfg(test)]
mod tests;
