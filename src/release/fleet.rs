//! One release of many services: each image goes the road of `mod.rs`, and all of them together.
//!
//! All services are resolved and planned before anything is written, so what a rule refuses for one of
//! them is refused before any other moves. Then they are released side by side, each of them tag last
//! for itself: a service whose tags are there is released, whatever becomes of the others. After the
//! first failure no further service is begun; those under way end. A run that is repeated finds what is
//! right, and does the rest.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};

use super::{Context, Failure, Outcome, Prepared, Request, Verb, announce, prepare};
use crate::policy::Service;

/// Services that are looked at at the same time.
const LOOKS: usize = 64;
/// Services that are released at the same time.
const RELEASES: usize = 32;

/// A release of several services.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// How they are released.
    pub verb: Verb,
    /// Plan and report, and write nothing.
    pub dry_run: bool,
    /// What is asked for each: none twice.
    pub services: Vec<(Service, Request)>,
}

/// What became of a release of several services.
#[derive(Debug, Clone)]
pub struct FleetOutcome {
    /// How they were released.
    pub verb: Verb,
    /// Whether nothing was written, only planned.
    pub dry_run: bool,
    /// Whether it came to writing: not where one was refused before.
    pub begun: bool,
    /// What became of each, in the order asked for.
    pub services: Vec<(Service, End)>,
}

/// What became of one service of several.
#[derive(Debug, Clone)]
pub enum End {
    /// It is released, or was already.
    Done(Box<Outcome>),
    /// It failed by itself.
    Failed(Failure),
    /// It was not begun, since another one failed.
    NotBegun,
}

/// A service on its way.
enum Step<'a> {
    Ready(Box<Prepared<'a>>),
    Ended(End),
}

impl FleetOutcome {
    /// Whether any tag was written.
    pub fn released(&self) -> bool {
        self.done().any(|(_, outcome)| outcome.released())
    }

    /// The services that are released, or were already.
    pub fn done(&self) -> impl Iterator<Item = (&Service, &Outcome)> {
        self.services.iter().filter_map(|(service, end)| match end {
            End::Done(outcome) => Some((service, &**outcome)),
            _ => None,
        })
    }

    /// The failures, to say more of them.
    pub fn failures_mut(&mut self) -> impl Iterator<Item = &mut Failure> {
        self.services.iter_mut().filter_map(|(_, end)| match end {
            End::Failed(failure) => Some(failure),
            _ => None,
        })
    }

    /// The services that failed by themselves.
    pub fn failed(&self) -> impl Iterator<Item = (&Service, &Failure)> {
        self.services.iter().filter_map(|(service, end)| match end {
            End::Failed(failure) => Some((service, failure)),
            _ => None,
        })
    }
}

impl Fleet {
    /// Releases the services. What fails is told by the outcome, service by service.
    pub async fn run(&self, context: &Context) -> FleetOutcome {
        announce(self.services.iter().map(|(_, request)| request), context);
        let mut steps = self.look(context).await;
        let whole = |step: &Step| !matches!(step, Step::Ended(End::Failed(_) | End::NotBegun));
        let begun = steps.iter().all(whole);
        if !begun {
            steps = steps.into_iter().map(Step::hold).collect();
        }
        let broken = AtomicBool::new(false);
        let ends: Vec<End> = stream::iter(steps)
            .map(|step| step.end(&broken))
            .buffered(RELEASES)
            .collect()
            .await;
        let names = self.services.iter().map(|(service, _)| service.clone());
        FleetOutcome {
            verb: self.verb,
            dry_run: self.dry_run,
            begun,
            services: names.zip(ends).collect(),
        }
    }

    /// Resolves and plans all services. A rule that refuses one is no reason not to look at the others,
    /// so that one run tells all; a registry that fails is.
    async fn look<'a>(&'a self, context: &'a Context) -> Vec<Step<'a>> {
        let looks = self
            .services
            .iter()
            .map(|(_, request)| look(request, context));
        let mut looks = stream::iter(looks).buffered(LOOKS);
        let mut steps = Vec::with_capacity(self.services.len());
        while let Some(step) = looks.next().await {
            let failed = matches!(step, Step::Ended(End::Failed(Failure::Service(_))));
            steps.push(step);
            if failed {
                break;
            }
        }
        steps.resize_with(self.services.len(), || Step::Ended(End::NotBegun));
        steps
    }
}

/// What is right already is done with: a thousand of them are not held in memory.
async fn look<'a>(request: &'a Request, context: &'a Context) -> Step<'a> {
    match prepare(request, context).await {
        Ok(prepared) if prepared.changes_nothing() => Step::ended(prepared.carry_out().await),
        Ok(prepared) => Step::Ready(Box::new(prepared)),
        Err(failure) => Step::Ended(End::Failed(failure)),
    }
}

impl Step<'_> {
    fn ended(result: Result<Outcome, Failure>) -> Self {
        Self::Ended(match result {
            Ok(outcome) => End::Done(Box::new(outcome)),
            Err(failure) => End::Failed(failure),
        })
    }

    /// Not to be begun.
    fn hold(self) -> Self {
        match self {
            Self::Ready(_) => Self::Ended(End::NotBegun),
            ended => ended,
        }
    }

    /// Goes to the end, unless another one is `broken`.
    async fn end(self, broken: &AtomicBool) -> End {
        let prepared = match self {
            Self::Ended(end) => return end,
            Self::Ready(_) if broken.load(Ordering::Relaxed) => return End::NotBegun,
            Self::Ready(prepared) => prepared,
        };
        match prepared.carry_out().await {
            Ok(outcome) => End::Done(Box::new(outcome)),
            Err(failure) => {
                broken.store(true, Ordering::Relaxed);
                End::Failed(failure)
            }
        }
    }
}
