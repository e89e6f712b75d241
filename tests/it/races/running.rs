//! A run under way, and which of its steps may as well come now.

use std::collections::BTreeMap;

use shipmark::archive::Unpacking;
use shipmark::release::{Failure, ReleaseContext};
use tokio::task::JoinHandle;

use super::schedule::{Step, is_new_tag};
use super::stage::End;
use crate::support::record_job::RecordJob;

/// A run under way.
pub struct Run {
    /// What it does, until it begins.
    job: Option<RecordJob>,
    /// The version that it releases; `None` if it releases none.
    version: Option<&'static str>,
    /// Whether it has written its version, or writes none.
    wrote_version: bool,
    /// Whether it has written its timeline entry, or writes none.
    wrote_entry: bool,
    task: Option<JoinHandle<Result<(), Failure>>>,
    asked: BTreeMap<String, usize>,
    just_wrote: bool,
}

impl Run {
    /// A run that writes an entry and no version.
    pub fn new(job: RecordJob) -> Self {
        Self {
            job: Some(job),
            version: None,
            wrote_version: true,
            wrote_entry: false,
            task: None,
            asked: BTreeMap::new(),
            just_wrote: false,
        }
    }

    pub fn releasing(self, version: &'static str) -> Self {
        Self {
            version: Some(version),
            wrote_version: false,
            ..self
        }
    }

    pub fn without_entry(self) -> Self {
        Self {
            wrote_entry: true,
            ..self
        }
    }

    pub fn begin(&mut self, context: &ReleaseContext) {
        let context = ReleaseContext {
            registry: context.registry.clone(),
            blob_index: Default::default(),
            meter: context.meter.clone(),
            notices: context.notices.clone(),
            ancestry: None,
            unpacking: Unpacking::default(),
            docker_host: None,
            github: None,
            service: None,
        };
        let job = self.job.take().unwrap();
        let run = async move { job.run(&context).await };
        self.task = Some(tokio::task::spawn_local(run));
    }

    pub fn is_over(&self) -> bool {
        self.task.as_ref().is_none_or(JoinHandle::is_finished)
    }

    pub fn just_wrote(&self) -> bool {
        self.just_wrote
    }

    /// Which one of its kind a request is.
    pub fn next_of(&self, request: &str) -> usize {
        self.asked.get(request).copied().unwrap_or(0) + 1
    }

    pub fn step(&mut self, step: &Step) {
        let Step::Request { request, .. } = step else {
            return self.task.take().unwrap().abort();
        };
        *self.asked.entry(request.clone()).or_insert(0) += 1;
        self.just_wrote = request.starts_with("PUT ");
        self.wrote_version |=
            self.just_wrote && self.version.is_some_and(|it| request.ends_with(it));
        self.wrote_entry |= self.just_wrote && request.contains("/manifests/shipmark.");
    }

    pub async fn end(self) -> End {
        let task = self.task?;
        if !task.is_finished() {
            task.abort();
            return None;
        }
        Some(task.await.unwrap())
    }

    /// Whether the run reads or moves a tag. A rollback may look at every line.
    fn uses(&self, tag: &str) -> bool {
        let is_line = tag.split('.').count() < 3;
        match self.version {
            None => is_line,
            Some(version) => {
                let is_own = is_line && version.starts_with(&format!("{tag}."));
                is_own || tag == version || tag == "latest" || tag == "prod"
            }
        }
    }
}

/// Whether nothing that another run may still do touches this step, so that it may as well come now.
pub fn is_free(step: &Step, steps: &[Step], runs: &[Run]) -> bool {
    let Step::Request { run, request, .. } = step else {
        return false;
    };
    if steps.contains(&Step::Death { run: *run }) {
        return false;
    }
    let object = request.rsplit('/').next().unwrap_or_default();
    let mut others = runs
        .iter()
        .enumerate()
        .filter(|(at, it)| at != run && !it.is_over());
    others.all(|(_, other)| {
        if request.contains("/tags/list") {
            return other.wrote_version && other.wrote_entry;
        }
        if object.starts_with("shipmark.") {
            // An entry is written once, and known from a list.
            return !request.starts_with("PUT ");
        }
        !(other.uses(object) || is_new_tag(object) && request.starts_with("PUT "))
    })
}
