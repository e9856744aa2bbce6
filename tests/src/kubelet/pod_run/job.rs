//! Runs the pods of a Job: both of its tries.

use anyhow::Result;
use serde_json::Value;

use super::PodRun;
use crate::kubelet::cluster::job;
use crate::kubelet::evidence::Logs;
use crate::s3::S3Server;

impl PodRun<'_> {
    /// Runs this pod as a Job, which is tried twice.
    pub(super) fn job(&mut self, pod: &Value, store: &S3Server) -> Result<()> {
        let name = self.names.pod.clone();
        self.cluster()?.create_job(&job::manifest(&name, pod))?;
        for number in 1..=2 {
            if number == 2 {
                // The second pod starts some seconds later, and writes to the same places.
                self.first_try = Some(Box::new(self.collect(store)));
                self.logs = Logs::default();
            }
            self.until("the Job has made a pod", |run| {
                let made = run.cluster().and_then(|cluster| cluster.pods_of(&name));
                made.is_ok_and(|made| made.len() >= number)
            })?;
            let made = self.cluster()?.pods_of(&name)?;
            self.names.uid.clone_from(&made[number - 1]);
            self.until_over()?;
        }
        Ok(())
    }
}
