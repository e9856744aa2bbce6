//! What the sidecar's container may do, by the manifest; and what main may do to it.

use super::manifest::{Container, Manifest, Security};
use crate::doctor::{Finding, Group};

const GROUP: Group = Group::Sidecar;

/// What a container has without `capabilities`, of what matters here.
const BY_DEFAULT: &str = "DAC_OVERRIDE";

/// The rights of one container, its own and those of the pod taken together.
#[derive(Clone, Copy)]
pub(super) struct Rights<'a> {
    own: &'a Security,
    pod: &'a Security,
}

impl<'a> Rights<'a> {
    pub(super) fn of(container: &'a Container, manifest: &'a Manifest) -> Self {
        Self {
            own: &container.security,
            pod: &manifest.security,
        }
    }

    /// The user; `None` for that of the image.
    pub(super) fn user(self) -> Option<u64> {
        self.own.user.or(self.pod.user)
    }

    fn is_non_root(self) -> bool {
        self.own.non_root.or(self.pod.non_root) == Some(true)
    }

    /// Whether capabilities that are added become effective: our image has no user, which is root.
    fn is_root(self) -> bool {
        match self.user() {
            Some(user) => user == 0,
            None => !self.is_non_root(),
        }
    }

    /// Whether a capability is in its bounding set.
    pub(super) fn has(self, capability: &str) -> bool {
        let names = |list: &[String], name: &str| list.iter().any(|it| it == name);
        let is_dropped = names(&self.own.dropped, "ALL") || names(&self.own.dropped, capability);
        self.own.is_privileged
            || names(&self.own.added, "ALL")
            || names(&self.own.added, capability)
            || (capability == BY_DEFAULT && !is_dropped)
    }

    fn has_bpf(self) -> bool {
        self.has("BPF") && self.has("PERFMON")
    }

    /// The name of a seccomp profile of the node, which may refuse anything.
    fn profile(self) -> Option<&'a str> {
        let (kind, name) = self.own.seccomp.as_ref().or(self.pod.seccomp.as_ref())?;
        let is_of_the_node = kind == "Localhost" && !self.own.is_privileged;
        is_of_the_node.then(|| name.as_deref().unwrap_or("without a name"))
    }
}

/// Whether the watcher `ebpf` can work, as far as the manifest decides it.
pub(super) fn allow_ebpf(rights: Rights<'_>, manifest: &Manifest) -> bool {
    rights.has_bpf() && rights.is_root() && !manifest.has_own_users
}

/// The findings about the sidecar's rights. `main_user`: the user of main.
pub(super) fn judge(
    rights: Rights<'_>,
    manifest: &Manifest,
    main_user: Option<u64>,
) -> Vec<Finding> {
    let mut findings = vec![capabilities(rights, manifest)];
    if rights.is_non_root() && rights.user() == Some(0) {
        findings.push(
            Finding::fails(
                GROUP,
                "user",
                "runAsUser: 0 together with runAsNonRoot: true",
            )
            .costs("kubelet refuses to start the container, and main never starts")
            .mend("runAsNonRoot: false in the container's securityContext"),
        );
    }
    findings.extend([seccomp(rights), files(rights, main_user)]);
    findings
}

fn capabilities(rights: Rights<'_>, manifest: &Manifest) -> Finding {
    let subject = "capabilities";
    let cost = "the watcher ebpf does not work";
    if !rights.has_bpf() {
        return Finding::degraded(GROUP, subject, "BPF and PERFMON are not added")
            .costs(cost)
            .mend("securityContext: {runAsUser: 0, capabilities: {add: [BPF, PERFMON]}} for this container");
    }
    if !rights.is_root() {
        let user = rights
            .user()
            .map_or("not 0".to_owned(), |user| user.to_string());
        return Finding::degraded(
            GROUP,
            subject,
            format!(
                "BPF and PERFMON are added, but the user is {user}, for whom they are not effective"
            ),
        )
        .costs(cost)
        .mend("runAsUser: 0 and runAsNonRoot: false for this container");
    }
    if manifest.has_own_users {
        return Finding::degraded(
            GROUP,
            subject,
            "BPF and PERFMON count only in the pod's own user namespace (hostUsers: false)",
        )
        .costs(cost)
        .mend("hostUsers: true");
    }
    Finding::ok(GROUP, subject, "BPF and PERFMON, effective for uid 0")
}

fn seccomp(rights: Rights<'_>) -> Finding {
    let subject = "seccomp";
    match rights.profile() {
        Some(name) if rights.has_bpf() => Finding::degraded(
            GROUP,
            subject,
            format!(
                "the profile of the node {name}: the manifest does not show whether it allows bpf"
            ),
        )
        .costs("if it does not, the watcher ebpf does not work")
        .mend("seccompProfile: {type: RuntimeDefault}, or run `copilot doctor` in the container"),
        Some(name) => Finding::ok(GROUP, subject, format!("the profile of the node {name}")),
        None => Finding::ok(
            GROUP,
            subject,
            "no profile of the node; that of the runtime allows bpf to a container with CAP_BPF",
        ),
    }
}

/// Whether it may read main's outputs, whatever their mode is.
fn files(rights: Rights<'_>, main_user: Option<u64>) -> Finding {
    let subject = "outputs of main's user";
    let reads_all =
        rights.is_root() && (rights.has("DAC_READ_SEARCH") || rights.has("DAC_OVERRIDE"));
    let is_same_user = rights.user().is_some() && rights.user() == main_user;
    if reads_all || is_same_user {
        return Finding::ok(GROUP, subject, "it may read them");
    }
    Finding::degraded(
        GROUP,
        subject,
        "it may read them only if their mode allows it: capabilities and user do not",
    )
    .costs("an output of mode 0600 by another user is not uploaded, and the run fails")
    .mend("runAsUser: 0 with DAC_READ_SEARCH (drop: [ALL] takes it from root as well), or main's runAsUser")
}

/// What main may do to the sidecar.
pub(super) fn of_main(main: &Container, manifest: &Manifest) -> Option<Finding> {
    let rights = Rights::of(main, manifest);
    let (held, cost) = if main.security.is_privileged {
        (
            "privileged",
            "main can read the sidecar's keys, and do to the node whatever it likes",
        )
    } else if rights.has("SYS_PTRACE") && manifest.shares_pids {
        (
            "SYS_PTRACE",
            "main can read the sidecar's memory, and the keys of the store in it",
        )
    } else if rights.has("BPF") {
        (
            "BPF",
            "a right that only the sidecar needs: did a template merge it into the wrong container?",
        )
    } else {
        return None;
    };
    let finding = Finding::degraded(Group::Main, "rights", format!("{} has {held}", main.name));
    Some(finding.costs(cost).mend("take it from main"))
}
