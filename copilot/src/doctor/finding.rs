//! One finding: what was looked at, what it means, what it costs, how to mend it.

use serde::Serialize;

/// What a finding means for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was not looked at, and the finding says why. It counts for nothing.
    NotChecked,
    /// It works.
    Ok,
    /// A run works, and something is worse than it could be.
    Degraded,
    /// A run fails.
    Fails,
}

impl Verdict {
    /// The word for people, which is also that of the JSON form.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotChecked => "not checked",
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Fails => "fails",
        }
    }
}

/// What a finding is about. Findings are shown by group, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// The kernel, and what it offers.
    Kernel,
    /// What this process may do, now and once a watcher is attached.
    Rights,
    /// Our place: namespaces, cgroups, the pod.
    Place,
    /// How main is watched, and who is main.
    Watching,
    /// Limits on memory, CPU time and files.
    Limits,
    /// The directories for inputs and outputs.
    Volumes,
    /// Settings, each with its source.
    Settings,
    /// The stores.
    Stores,
    /// The pod as a whole, by its manifest.
    Pod,
    /// The container of the sidecar, by the manifest.
    Sidecar,
    /// The container of the downloader, by the manifest.
    Downloader,
    /// The main container, by the manifest.
    Main,
}

impl Group {
    /// Its heading.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Rights => "rights",
            Self::Place => "place",
            Self::Watching => "watching main",
            Self::Limits => "limits",
            Self::Volumes => "volumes",
            Self::Settings => "settings",
            Self::Stores => "stores",
            Self::Pod => "pod",
            Self::Sidecar => "sidecar",
            Self::Downloader => "downloader",
            Self::Main => "main",
        }
    }
}

/// One finding. Each text is one sentence or clause without a full stop at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub group: Group,
    /// What was looked at.
    pub subject: String,
    /// What it means.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What it costs.
    pub cost: Option<String>,
    /// How to mend it; none if `found` says it already.
    pub remedy: Option<String>,
}

impl Finding {
    fn new(
        verdict: Verdict,
        group: Group,
        subject: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            group,
            subject: subject.into(),
            verdict,
            found: found.into(),
            cost: None,
            remedy: None,
        }
    }

    /// It works.
    #[must_use]
    pub fn ok(group: Group, subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, group, subject, found)
    }

    /// It is worse than it could be.
    #[must_use]
    pub fn degraded(group: Group, subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Verdict::Degraded, group, subject, found)
    }

    /// A run fails.
    #[must_use]
    pub fn fails(group: Group, subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Verdict::Fails, group, subject, found)
    }

    /// It was not looked at; `found` says why.
    #[must_use]
    pub fn not_checked(group: Group, subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Verdict::NotChecked, group, subject, found)
    }

    /// The same with what it costs.
    #[must_use]
    pub fn costs(self, cost: impl Into<String>) -> Self {
        Self {
            cost: Some(cost.into()),
            ..self
        }
    }

    /// The same with how to mend it.
    #[must_use]
    pub fn mend(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }
}
