//! What follows from all that is known. Judged again after each event.

use super::{
    Tracker, Transition,
    container::Container,
    transition::{Doubt, began, exited},
};
use crate::track::{
    ContainerId, ExitStatus, Marker,
    identify::{Candidate, Why},
};

impl Tracker {
    pub(super) fn conclude(&mut self) -> Vec<Transition> {
        let mut transitions = Vec::new();
        if self.exited {
            return transitions;
        }
        // What the kernel loses are not files, so markers count all the same.
        if self.unsure_before.is_none() {
            self.judge(&mut transitions);
        }
        self.heed_markers(&mut transitions);
        transitions
    }

    fn judge(&mut self, transitions: &mut Vec<Transition>) {
        let Some((mains, why, are_certain)) = self.choose() else {
            self.dismiss(transitions);
            return;
        };
        if self.found.as_ref().map(|(found, _)| found) != Some(&mains) {
            self.found = Some((mains.clone(), why));
            transitions.push(Transition::MainFound {
                containers: mains.clone(),
                why,
            });
        }
        let mains: Vec<&Container> = mains
            .iter()
            .filter_map(|main| self.containers.get(main))
            .collect();
        let exited = exited(&mains);
        let began = began(&mains).filter(|_| !self.started);
        if let Some((status, at)) = exited
            && self.may_be_an_init_containers(status, why, are_certain)
        {
            let doubt = Doubt::About { status, at };
            self.started = false;
            if std::mem::replace(&mut self.doubt, doubt) != doubt {
                transitions.push(Transition::MainInDoubt { status, at });
            }
            return;
        }
        if self.is_in_doubt() {
            self.doubt = Doubt::None;
        }
        self.started |= began.is_some();
        self.exited = exited.is_some();
        let exited = exited.map(|(status, at)| Transition::MainExited { status, at });
        transitions.extend(began.into_iter().chain(exited));
    }

    /// Takes back that containers are main which turn out to run our program: a look at `/proc` may come before
    /// a shell has replaced itself by it.
    fn dismiss(&mut self, transitions: &mut Vec<Transition>) {
        let is_copilot = |id: &ContainerId| {
            let container = self.containers.get(id);
            container.is_some_and(|container| self.rules.is_copilot(&candidate(id, container)))
        };
        if self.mains().is_empty() || !self.mains().iter().all(is_copilot) {
            return;
        }
        self.found = None;
        self.started = !self.markers.is_empty();
        self.doubt = Doubt::None;
        transitions.push(Transition::MainDismissed);
    }

    /// Whether this end may be an init container's. A bad end counts at once: a pod whose init container
    /// fails produces nothing either. But a container that never began, and whose mounts could not be
    /// read, proves too little. A container that writes marker files is main.
    fn may_be_an_init_containers(&self, end: ExitStatus, why: Why, are_certain: bool) -> bool {
        let believed = are_certain || self.doubt == Doubt::Dispelled || !self.markers.is_empty();
        let is_nobody = end == ExitStatus::NotStarted && why == Why::Elimination;
        !believed && (is_nobody || !end.is_failure())
    }

    fn heed_markers(&mut self, transitions: &mut Vec<Transition>) {
        let first = self.markers.values().min().copied();
        if let Some(at) = first.filter(|_| !self.started && !self.exited) {
            self.started = true;
            transitions.push(Transition::MainStarted {
                processes: Vec::new(),
                at,
            });
        }
        let end = [Marker::Error, Marker::Success]
            .into_iter()
            .find_map(|marker| Some((marker, *self.markers.get(&marker)?)));
        if let Some((marker, at)) = end.filter(|_| !self.marked && !self.exited) {
            self.marked = true;
            transitions.push(Transition::MainMarked { marker, at });
        }
    }

    /// Main, the rule that found it, and whether the rule is certain.
    fn choose(&self) -> Option<(Vec<ContainerId>, Why, bool)> {
        // A container that no source has described yet may be infrastructure.
        let candidates: Vec<Candidate<'_>> = self
            .containers
            .iter()
            .filter(|(_, container)| container.is_described())
            .map(|(id, container)| candidate(id, container))
            .collect();
        let (mains, why) = self.rules.choose(&candidates)?;
        let are_certain = self.rules.is_certain(why);
        Some((mains, why, are_certain))
    }
}

pub(super) fn candidate<'a>(id: &'a ContainerId, container: &'a Container) -> Candidate<'a> {
    let exit = container.exit();
    Candidate {
        id,
        evidence: container.evidence.as_ref(),
        program: container.program.as_deref(),
        command: container.command,
        job: container.job(),
        began: container.began(),
        alive: exit.map(|exit| exit.alive),
        ended: exit.map(|exit| exit.at),
    }
}
