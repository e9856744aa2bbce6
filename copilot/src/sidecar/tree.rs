//! The work after main's end without Flyte: the whole output directory goes up, or nothing does.
//!
//! `proof` judges main's end, `upload::tree` sends and commits. After a failure the manifest of an earlier run goes
//! as well, so that nobody takes its success for this run's; `failure.json` is the command's. Caller: `sidecar`.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::evidence;
use super::good_end;
use super::outcome::{failure_of, own_words, quoting};
use super::proof::{OtherProof, judge_tree};
use super::request::{SidecarRequest, TreeTarget};
use super::verdict::Verdict;
use crate::beneath::SharedDirectory;
use crate::report::tree::{LARGEST_DOCUMENT, MainEnd, TreeFailure, TreePlaces};
use crate::report::{Failure, Occurrence, Timeline};
use crate::track::Watcher;
use crate::track::watch::{Ending, Watched};
use crate::transfer::{Engine, Stop};
use crate::upload::UploadError;
use crate::upload::tree::{self, Tree};

/// Time to delete a manifest after a failure: `failure.json` waits for that.
const FOR_DELETION: Duration = Duration::from_secs(5);

/// The work after main's end.
pub(super) struct TreeJob<'a> {
    pub(super) request: &'a SidecarRequest,
    pub(super) target: &'a TreeTarget,
    pub(super) shared: &'a Arc<SharedDirectory>,
    pub(super) engine: &'a Engine,
    pub(super) stop: &'a Stop,
}

impl TreeJob<'_> {
    /// Uploads or fails. After a failure no manifest is left, as far as the store allows it.
    pub(super) async fn conclude(
        &self,
        watched: &Watched,
        timeline: &mut Timeline,
    ) -> Result<(), Failure> {
        let places = TreePlaces::below(&self.target.to)
            .map_err(|cause| Failure::from_upload(UploadError::To(cause)).lasting())?;
        let outcome = self.work(&places, watched, timeline).await;
        let Err(failure) = outcome else {
            return Ok(());
        };
        // Whatever was the limit of the work: this must be tried.
        let stop = Stop::after(Some(FOR_DELETION));
        match tree::withdraw(&places, self.engine, &stop).await {
            Ok(()) => Err(failure),
            Err(error) => {
                warn!(%error, "the manifest of an earlier run may stay beside failure.json");
                Err(Failure {
                    message: format!(
                        "{}; {} may be of an earlier run and could not be deleted: it says nothing about this one",
                        failure.message,
                        places.manifest.shown()
                    ),
                    ..failure
                })
            }
        }
    }

    async fn work(
        &self,
        places: &TreePlaces,
        watched: &Watched,
        timeline: &mut Timeline,
    ) -> Result<(), Failure> {
        let tree = Tree {
            directory: self.shared,
            places,
        };
        let here = Occurrence::here_and_now();
        let other = OtherProof {
            says_success: evidence::says_success(self.shared),
            is_noted: good_end::is_noted(self.shared, &here.worker),
            is_vouched_for: self.request.track.watchers == [Watcher::Noop],
        };
        if let Verdict::Report(failure) = judge_tree(watched, other) {
            if is_after_main(watched) && self.is_done(tree, &here.worker).await {
                return self.remove_stale_failure(places).await;
            }
            return Err(own_words(self.shared).unwrap_or_else(|| quoting(failure, self.shared)));
        }
        if let Some(failure) = self.of_an_earlier_life(places, watched, &here.worker).await {
            return Err(failure);
        }
        if !watched.saw_the_end() && self.is_done(tree, &here.worker).await {
            return self.remove_stale_failure(places).await;
        }
        if watched.saw_the_end() {
            good_end::note(self.shared, &here.worker);
        }
        let main = MainEnd::noted(timeline);
        let sent = tree::run(tree, &main, &here, self.engine, self.stop, timeline).await;
        let summary = sent.map_err(failure_of)?;
        timeline.note_transfer(
            summary.objects,
            summary.bytes,
            summary.retries,
            summary.elapsed,
        );
        Ok(())
    }

    /// Whether an earlier life of this sidecar has committed exactly these files. What cannot be proven counts as not
    /// committed.
    async fn is_done(&self, tree: Tree<'_>, worker: &str) -> bool {
        let looked = tree::is_committed(tree, worker, self.engine, self.stop);
        // A large future: it holds those of several readings.
        let done = Box::pin(looked).await.unwrap_or_else(|error| {
            warn!(%error, "it cannot be proven that an earlier life has committed these files");
            false
        });
        if done {
            info!(
                manifest = tree.places.manifest.shown(),
                "an earlier life of this sidecar has committed these files, and the store holds them: nothing is left \
                 to do"
            );
        }
        done
    }

    async fn remove_stale_failure(&self, places: &TreePlaces) -> Result<(), Failure> {
        let stale = std::slice::from_ref(&places.failure);
        let removed = self.engine.remove_stale(stale, self.stop).await;
        removed
            .map(drop)
            .map_err(|error| Failure::from_upload(&error).caused_by(error.store_error()))
    }

    /// The failure that an earlier life has reported, if it stands: a life that has not seen main begin knows less.
    async fn of_an_earlier_life(
        &self,
        places: &TreePlaces,
        watched: &Watched,
        worker: &str,
    ) -> Option<Failure> {
        let saw_it_begin = |started| started >= watched.attached;
        if !watched.sees || watched.started.is_some_and(saw_it_begin) {
            return None;
        }
        let text = self
            .engine
            .read(&places.failure, LARGEST_DOCUMENT, self.stop)
            .await
            .ok()?;
        let reported = TreeFailure::parse(&text).ok()??;
        if reported.worker != worker {
            return None;
        }
        let failure = reported.into_failure();
        warn!(
            document = places.failure.shown(),
            message = failure.message,
            "an earlier life of this sidecar has reported a failure, and this one has not seen main begin: the \
             failure stands"
        );
        Some(failure)
    }
}

/// Whether main may have ended before this life began to watch: then an earlier life may have done the work.
fn is_after_main(watched: &Watched) -> bool {
    let is_known = match watched.ending {
        Ending::StillRunning => true,
        Ending::Exited(status) => status.is_failure(),
        _ => false,
    };
    !is_known && !watched.saw_the_end()
}
