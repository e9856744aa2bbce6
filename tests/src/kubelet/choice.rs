//! Selects the pods to run: by scenario, privilege and pid namespaces, or the part for CI.

use super::scenario::{Case, Part, Pids, Privilege};
use super::table::scenarios;

/// The selection.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Beginnings of scenario names; empty for all.
    pub scenarios: Vec<String>,
    /// Only this privilege.
    pub privilege: Option<Privilege>,
    /// Only these pid namespaces.
    pub pids: Option<Pids>,
    /// Only the part that CI runs.
    pub part: bool,
    /// With an API server: the watcher `kube-api`, and the scenarios that need a server.
    pub cluster: bool,
}

/// The pods of one round on one node.
#[must_use]
pub fn cases(choice: &Choice) -> Vec<Case> {
    let mut found = Vec::new();
    for scenario in scenarios() {
        for privilege in Privilege::ALL {
            for pids in scenario.pids {
                let case = Case {
                    scenario,
                    privilege: *privilege,
                    pids: *pids,
                };
                if choice.takes(&case) {
                    found.push(case);
                }
            }
        }
    }
    found
}

impl Choice {
    fn takes(&self, case: &Case) -> bool {
        let named = self.scenarios.is_empty()
            || self
                .scenarios
                .iter()
                .any(|name| case.scenario.name.starts_with(name.as_str()));
        let part = match case.scenario.part {
            Part::All => case.privilege != Privilege::BpfSeccomp || case.pids == Pids::Own,
            Part::One => case.privilege == Privilege::Bpf && case.pids == Pids::Shared,
            Part::Out => false,
        };
        let reports = case.privilege == Privilege::KubeApi;
        let here = match (self.cluster, case.scenario.cluster) {
            (true, Some(privileges)) => privileges.contains(&case.privilege),
            (true, None) => reports,
            (false, needs) => !reports && needs.is_none(),
        };
        named
            && here
            && self
                .privilege
                .is_none_or(|privilege| privilege == case.privilege)
            && self.pids.is_none_or(|pids| pids == case.pids)
            && (part || !self.part)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_differ_and_make_names_of_pods() {
        let cases = cases(&Choice::default());
        let names: BTreeSet<String> = cases.iter().map(Case::name).collect();
        assert_eq!(names.len(), cases.len());
        assert!(names.iter().all(|name| name.len() < 50), "{names:?}");
    }

    #[test]
    fn the_part_has_thirty_pods_and_every_watcher() {
        let part = cases(&Choice {
            part: true,
            ..Choice::default()
        });
        assert!(part.len() * 2 >= 30, "{} on each node", part.len());
        let watchers: BTreeSet<&str> = part.iter().map(|case| case.watcher().name()).collect();
        assert_eq!(watchers.len(), 3);
    }
}
