//! The source at work: connects, then turns what `follow` says into events.

use std::{
    collections::{BTreeSet, VecDeque},
    future::pending,
    path::Path,
    time::Duration,
};

use futures_util::{StreamExt as _, stream::BoxStream};
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use super::{
    ApiOptions, KubeError,
    access::Access,
    clock::Clock,
    follow::{Reading, State, Word, follow, pauses},
    pod::Pod,
    question::{Kind, Listed, Question, Trouble},
    view::View,
};
use crate::track::{Event, decision::Sight, identify::Manifest, place::Place};

/// How long an API server is tried for before the watcher is refused, if one answer may not take
/// longer: a mesh's proxy, or the node's network, may need a moment.
const PATIENCE: Duration = Duration::from_secs(10);

/// No try is given less than this.
const LEAST: Duration = Duration::from_secs(1);

/// Why nothing is known.
#[derive(PartialEq, Eq)]
enum Blind {
    /// The API knows our pod no more.
    Gone,
    /// The API tells nothing, in words.
    Trouble(String),
}

/// Whether the API was asked anew since a decision is near.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Never,
    Asked,
    Answered,
}

/// A watch of our pod.
pub struct KubeSource {
    question: Question,
    words: BoxStream<'static, Word>,
    view: View,
    manifest: Manifest,
    uid: Option<String>,
    queue: VecDeque<Event>,
    /// Why nothing is known for now.
    blind: Option<Blind>,
    /// The pod is being deleted, by the last word on it.
    is_deleted: bool,
    /// What came of looking again.
    look: Look,
    /// The waiting containers that were told of in the log, each with its reason.
    waiting: BTreeSet<(String, String)>,
}

impl KubeSource {
    /// Finds the pod and begins to watch it. `output` is our output directory.
    pub async fn connect(
        options: &ApiOptions,
        place: Option<&Place>,
        output: Option<&Path>,
    ) -> Result<Self, KubeError> {
        let access = Access::find(options)?;
        let question = Question::new(
            access.client.clone(),
            &access.namespace,
            &access.pod,
            options.limit(),
        );
        let patience = options.request_timeout.unwrap_or_default().max(PATIENCE);
        let (pod, state) = begin(&question, &access, patience).await?;
        is_ours(&pod, &access, place)?;
        // As the mounts name it: no link on the way. One that is not there is nobody's mount.
        let output = output.and_then(|output| output.canonicalize().ok());
        let view = View::new(&pod, place, output.as_deref());
        if view.own_name().is_none() {
            warn!(
                "which of the pod's containers is our own is not known; if main is not found, name it \
                 with --main-container"
            );
        }
        let mut source = Self {
            words: follow(question.clone(), state),
            question,
            manifest: view.manifest(&pod),
            view,
            uid: pod.metadata.uid.clone(),
            queue: VecDeque::new(),
            blind: None,
            is_deleted: false,
            look: Look::Never,
            waiting: BTreeSet::new(),
        };
        source.tell(&pod);
        Ok(source)
    }

    /// What the manifest says of who is main.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What can be told at this moment.
    #[must_use]
    pub fn sight(&self) -> Sight {
        match (&self.blind, self.look) {
            (Some(_), _) => Sight::Lost,
            // What was told before may be older than main's end.
            (None, Look::Answered) if self.is_deleted => Sight::Muted,
            (None, _) => Sight::Reported,
        }
    }

    /// Asks anew: whether the server can be reached is to be known soon. A connection whose other
    /// end is gone looks like one that has nothing to tell.
    pub fn look_again(&mut self) {
        self.words = follow(self.question.clone(), State::List);
        self.look = Look::Asked;
    }

    /// The next event. Nothing is lost if the wait is given up.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            match self.words.next().await {
                Some(word) => self.take(word),
                None => return pending().await,
            }
        }
    }

    fn take(&mut self, word: Word) {
        match word {
            Word::Pod(pod) if pod.metadata.uid == self.uid => {
                self.see();
                self.is_deleted = pod.metadata.deletion_timestamp.is_some();
                if self.look == Look::Asked {
                    self.look = Look::Answered;
                }
                self.tell(&pod);
            }
            // Another pod of our name: ours is gone.
            Word::Pod(_) | Word::Missing => self.go_blind(Blind::Gone),
            // A watch is of a name, whoever bears it.
            Word::Open if self.blind == Some(Blind::Gone) => {}
            Word::Open => self.see(),
            Word::Trouble(trouble) => self.go_blind(Blind::Trouble(trouble.to_string())),
        }
    }

    fn see(&mut self) {
        if self.blind.take().is_some() {
            info!("the API tells of our pod again");
        }
    }

    /// Says so once, until it can see again or the reason is another.
    fn go_blind(&mut self, blind: Blind) {
        match &blind {
            known if self.blind.as_ref() == Some(known) => debug!("still nothing from the API"),
            Blind::Gone => warn!("the API knows our pod no more; asking again all the same"),
            Blind::Trouble(reason) => warn!(
                reason,
                "the API tells nothing for now, so kube-api cannot see main; trying again for ever"
            ),
        }
        self.blind = Some(blind);
    }

    fn tell(&mut self, pod: &Pod) {
        self.queue.extend(self.view.events(pod, Clock::now()));
        for (container, reason, message) in View::waiting(pod) {
            let said = (container.to_owned(), reason.to_owned());
            if self.waiting.insert(said) {
                info!(
                    container,
                    reason, message, "a container waits for its start"
                );
            }
        }
    }
}

/// The pod, and a watch from there; refused at once where another try would bring no more.
async fn begin(
    question: &Question,
    access: &Access,
    patience: Duration,
) -> Result<(Pod, State), KubeError> {
    let began = Instant::now();
    let mut failures = 0;
    loop {
        let left = patience.saturating_sub(began.elapsed());
        let answer = timeout(left.max(LEAST), attempt(question)).await;
        let trouble = match answer.unwrap_or_else(|_| Err(Trouble::silence(patience))) {
            Ok((Listed { pod: Some(pod), .. }, state)) => return Ok((pod, state)),
            Ok(_) => {
                return Err(KubeError::NoSuchPod {
                    pod: access.pod.clone(),
                    namespace: access.namespace.clone(),
                    origin: access.origin,
                });
            }
            Err(trouble) => trouble,
        };
        failures += 1;
        let pause = pauses().pause(failures);
        if let Some(error) = refusal(&trouble, access) {
            return Err(error);
        }
        if began.elapsed() + pause >= patience {
            return Err(KubeError::Unreachable {
                server: access.server.clone(),
                waited: patience,
                trouble,
            });
        }
        debug!(%trouble, ?pause, "the API server did not answer: trying again");
        sleep(pause).await;
    }
}

/// Both questions once: whoever may list is not always allowed to watch.
async fn attempt(question: &Question) -> Result<(Listed, State), Trouble> {
    let listed = question.list().await?;
    if listed.pod.is_none() {
        return Ok((listed, State::List));
    }
    let version = listed.version.clone();
    let state = match question.watch(&version).await {
        Ok(changes) => State::Read(Reading::new(changes, version)),
        Err(trouble) if trouble.kind == Kind::Expired => State::List,
        Err(trouble) => return Err(trouble),
    };
    Ok((listed, state))
}

fn refusal(trouble: &Trouble, access: &Access) -> Option<KubeError> {
    let server = access.server.clone();
    match trouble.kind {
        Kind::Denied => Some(KubeError::Denied {
            server,
            namespace: access.namespace.clone(),
            trouble: trouble.clone(),
        }),
        Kind::Rejected => Some(KubeError::Rejected {
            server,
            trouble: trouble.clone(),
        }),
        Kind::Expired | Kind::Busy | Kind::Unreachable => None,
    }
}

/// Whether the API's pod is the one that our mounts tell of. Of a static pod the API has a mirror only,
/// which bears the uid of the original as an annotation.
fn is_ours(pod: &Pod, access: &Access, place: Option<&Place>) -> Result<(), KubeError> {
    let Some(ours) = place.and_then(|place| place.evidence.pod_uid.as_ref()) else {
        return Ok(());
    };
    let metadata = &pod.metadata;
    let mirrored = metadata
        .annotations
        .as_ref()
        .and_then(|notes| notes.mirrored.as_ref());
    if metadata.uid.as_ref() == Some(ours) || mirrored == Some(ours) {
        return Ok(());
    }
    Err(KubeError::OtherPod {
        pod: access.pod.clone(),
        theirs: metadata.uid.clone().unwrap_or_default(),
        ours: ours.clone(),
    })
}
