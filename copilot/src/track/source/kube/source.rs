//! The source itself: connects, then turns the updates of `follow` into events.

use std::{
    collections::{BTreeSet, VecDeque},
    future::pending,
    time::Duration,
};

use futures_util::{StreamExt as _, stream::BoxStream};
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use super::{
    ApiOptions, KubeError,
    access::PodAccess,
    clock::Clock,
    follow::{FollowState, OpenWatch, PodUpdate, follow, pauses},
    pod::Pod,
    query::{ListedPod, PodQuery, RequestError, RequestErrorKind},
    view::PodView,
};
use crate::beneath::SharedDirectory;
use crate::track::{Event, decision::Sight, identify::Manifest, place::Place};

/// How long to try the API server before the watcher is refused, unless one answer may take longer: a
/// mesh's proxy, or the node's network, may need a moment.
const PATIENCE: Duration = Duration::from_secs(10);

/// The shortest time limit of one try.
const LEAST: Duration = Duration::from_secs(1);

/// Why the API shows us nothing.
#[derive(PartialEq, Eq)]
enum Blind {
    /// The API does not know our pod any more.
    Gone,
    /// Requests fail, with this message.
    Failed(String),
}

/// Whether the API was asked again because a decision is near.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recheck {
    Never,
    Asked,
    Answered,
}

/// A watch of our pod.
pub struct KubeSource {
    query: PodQuery,
    updates: BoxStream<'static, PodUpdate>,
    view: PodView,
    manifest: Manifest,
    uid: Option<String>,
    queue: VecDeque<Event>,
    /// Why the API shows us nothing at the moment.
    blind: Option<Blind>,
    /// The pod is being deleted, by the last update.
    is_deleted: bool,
    /// The state of the last recheck.
    recheck: Recheck,
    /// The waiting containers that the log mentions already, each with its reason.
    waiting: BTreeSet<(String, String)>,
}

impl KubeSource {
    /// Finds the pod and starts to watch it. `output` is our output directory.
    ///
    /// # Errors
    ///
    /// The API server is unknown, unreachable or refuses us, or the pod is not ours.
    pub async fn connect(
        options: &ApiOptions,
        place: Option<&Place>,
        output: Option<&SharedDirectory>,
    ) -> Result<Self, KubeError> {
        let access = PodAccess::find(options)?;
        let query = PodQuery::new(
            access.client.clone(),
            &access.namespace,
            &access.pod,
            options.limit(),
        );
        let patience = options.request_timeout.unwrap_or_default().max(PATIENCE);
        let (pod, state) = begin(&query, &access, patience).await?;
        check_uid(&pod, &access, place)?;
        // Mounts name directories without links. A directory that does not exist is in no mount.
        let output = output.and_then(SharedDirectory::real_path);
        let view = PodView::new(&pod, place, output.as_deref());
        if view.own_name().is_none() {
            warn!(
                "we do not know which of the pod's containers is our own; if main is not found, name \
                 it with --main-container"
            );
        }
        let mut source = Self {
            updates: follow(query.clone(), state),
            query,
            manifest: view.manifest(&pod),
            view,
            uid: pod.metadata.uid.clone(),
            queue: VecDeque::new(),
            blind: None,
            is_deleted: false,
            recheck: Recheck::Never,
            waiting: BTreeSet::new(),
        };
        source.queue_events(&pod);
        Ok(source)
    }

    /// The facts about main in the pod's manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How much the API shows at this moment.
    #[must_use]
    pub fn sight(&self) -> Sight {
        match (&self.blind, self.recheck) {
            (Some(_), _) => Sight::Lost,
            // An earlier update may be older than main's end.
            (None, Recheck::Answered) if self.is_deleted => Sight::Muted,
            (None, _) => Sight::Reported,
        }
    }

    /// Lists the pod again, to learn soon whether the server can be reached: a dead connection looks
    /// like one without news.
    pub fn look_again(&mut self) {
        self.updates = follow(self.query.clone(), FollowState::List);
        self.recheck = Recheck::Asked;
    }

    /// The next event. Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            match self.updates.next().await {
                Some(update) => self.take(update),
                None => return pending().await,
            }
        }
    }

    fn take(&mut self, update: PodUpdate) {
        match update {
            PodUpdate::Pod(pod) if pod.metadata.uid == self.uid => {
                self.see();
                self.is_deleted = pod.metadata.deletion_timestamp.is_some();
                if self.recheck == Recheck::Asked {
                    self.recheck = Recheck::Answered;
                }
                self.queue_events(&pod);
            }
            // Another pod has our name, so ours is gone.
            PodUpdate::Pod(_) | PodUpdate::Missing => self.go_blind(Blind::Gone),
            // A watch selects by name, so an open watch does not prove that our pod exists.
            PodUpdate::Open if self.blind == Some(Blind::Gone) => {}
            PodUpdate::Open => self.see(),
            PodUpdate::Failed(error) => self.go_blind(Blind::Failed(error.to_string())),
        }
    }

    fn see(&mut self) {
        if self.blind.take().is_some() {
            info!("the API reports our pod again");
        }
    }

    /// Warns once, until the API reports our pod again or the reason changes.
    fn go_blind(&mut self, blind: Blind) {
        match &blind {
            known if self.blind.as_ref() == Some(known) => debug!("the API still shows nothing"),
            Blind::Gone => warn!("the API does not know our pod any more; trying again"),
            Blind::Failed(reason) => warn!(
                reason,
                "the API gives no usable answer, so kube-api cannot see main; trying again"
            ),
        }
        self.blind = Some(blind);
    }

    fn queue_events(&mut self, pod: &Pod) {
        self.queue.extend(self.view.events(pod, Clock::now()));
        for (container, reason, message) in PodView::waiting(pod) {
            let logged = (container.to_owned(), reason.to_owned());
            if self.waiting.insert(logged) {
                info!(
                    container,
                    reason, message, "a container waits for its start"
                );
            }
        }
    }
}

/// Lists the pod and opens a watch from there. Fails at once if another try cannot succeed.
async fn begin(
    query: &PodQuery,
    access: &PodAccess,
    patience: Duration,
) -> Result<(Pod, FollowState), KubeError> {
    let began = Instant::now();
    let mut failures = 0;
    loop {
        let left = patience.saturating_sub(began.elapsed());
        let answer = timeout(left.max(LEAST), attempt(query)).await;
        let error = match answer.unwrap_or_else(|_| Err(RequestError::timeout(patience))) {
            Ok((ListedPod { pod: Some(pod), .. }, state)) => return Ok((pod, state)),
            Ok(_) => {
                return Err(KubeError::NoSuchPod {
                    pod: access.pod.clone(),
                    namespace: access.namespace.clone(),
                    origin: access.origin,
                });
            }
            Err(error) => unless_final(error, access)?,
        };
        failures += 1;
        let pause = pauses().pause(failures);
        if began.elapsed() + pause >= patience {
            return Err(KubeError::Unreachable {
                server: access.server.clone(),
                waited: patience,
                source: error,
            });
        }
        debug!(%error, ?pause, "the API server did not answer: trying again");
        sleep(pause).await;
    }
}

/// Lists and watches once: permission to list does not include permission to watch.
async fn attempt(query: &PodQuery) -> Result<(ListedPod, FollowState), RequestError> {
    let listed = query.list().await?;
    if listed.pod.is_none() {
        return Ok((listed, FollowState::List));
    }
    let version = listed.version.clone();
    let state = match query.watch(&version).await {
        Ok(changes) => FollowState::Read(OpenWatch::new(changes, version)),
        Err(error) if error.kind == RequestErrorKind::Expired => FollowState::List,
        Err(error) => return Err(error),
    };
    Ok((listed, state))
}

/// Returns the error if another try may succeed, and fails otherwise.
fn unless_final(error: RequestError, access: &PodAccess) -> Result<RequestError, KubeError> {
    let server = access.server.clone();
    match error.kind {
        RequestErrorKind::Denied => Err(KubeError::Denied {
            server,
            namespace: access.namespace.clone(),
            source: error,
        }),
        RequestErrorKind::Rejected => Err(KubeError::Rejected {
            server,
            source: error,
        }),
        RequestErrorKind::Expired | RequestErrorKind::Busy | RequestErrorKind::Unreachable => {
            Ok(error)
        }
    }
}

/// Checks that the API's pod is the one that our mounts name. For a static pod the API has only a mirror
/// object, whose annotation holds the uid of the original.
fn check_uid(pod: &Pod, access: &PodAccess, place: Option<&Place>) -> Result<(), KubeError> {
    let Some(ours) = place.and_then(|place| place.evidence.pod_uid.as_ref()) else {
        return Ok(());
    };
    let metadata = &pod.metadata;
    let mirrored = metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.mirrored.as_ref());
    if metadata.uid.as_ref() == Some(ours) || mirrored == Some(ours) {
        return Ok(());
    }
    Err(KubeError::OtherPod {
        pod: access.pod.clone(),
        theirs: metadata.uid.clone().unwrap_or_default(),
        ours: ours.clone(),
    })
}
