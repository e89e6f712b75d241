//! One release of many services: each image goes the road of `mod.rs`, and all of them together.
//!
//! All services are resolved and planned before anything is written, so what a rule refuses for one of
//! them is refused before any other moves. Then they are released side by side, each of them tag last
//! for itself: a service whose tags are there is released, whatever becomes of the others. After the
//! first failure no further service is begun; those under way end. A run that is repeated finds what is
//! right, and does the rest.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};

use super::ahead::Ahead;
use super::{Context, Failure, Outcome, Prepared, Request, Verb, announce, prepare};
use crate::policy::Service;

/// Services that are looked at at the same time.
const LOOKS: usize = 64;
/// Services that are released at the same time: each is a chain of requests that wait for one another,
/// and so many chains keep a registry's limit of requests in flight in use.
const RELEASES: usize = 64;

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
    /// Releases the services, and says of each what became of it when it ends. What fails is told by
    /// the outcome, service by service.
    pub async fn run(&self, context: &Context, said: impl Fn(&Service, &End)) -> FleetOutcome {
        announce(self.services.iter().map(|(_, request)| request), context);
        context.meter.expect_images(self.services.len() as u64);
        let ended = |at: usize, end: &End| {
            context.meter.image_done();
            said(&self.services[at].0, end);
        };
        let mut steps = self.look(context, &ended).await;
        let whole = |step: &Step| !matches!(step, Step::Ended(End::Failed(_) | End::NotBegun));
        let begun = steps.iter().all(whole);
        if !begun {
            steps = steps.into_iter().map(Step::hold).collect();
        }
        let ends = release(steps, &ended).await;
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
    async fn look<'a>(
        &'a self,
        context: &'a Context,
        ended: &impl Fn(usize, &End),
    ) -> Vec<Step<'a>> {
        let requests = self.services.iter().map(|(_, request)| request).enumerate();
        let looks = requests.map(|(at, request)| async move { (at, look(request, context).await) });
        let mut looks = stream::iter(looks).buffer_unordered(LOOKS);
        let not_begun = || Step::Ended(End::NotBegun);
        let mut steps: Vec<Step> = self.services.iter().map(|_| not_begun()).collect();
        while let Some((at, step)) = looks.next().await {
            // What stands against some of them is told of all at once.
            if let Step::Ended(end @ End::Done(_)) = &step {
                ended(at, end);
            }
            let failed = matches!(step, Step::Ended(End::Failed(Failure::Service(_))));
            steps[at] = step;
            if failed {
                break;
            }
        }
        steps
    }
}

/// Releases what is planned, side by side: one that takes long holds up no other. The ends are in the
/// order of the steps.
async fn release(steps: Vec<Step<'_>>, ended: &impl Fn(usize, &End)) -> Vec<End> {
    let broken = &AtomicBool::new(false);
    let ends = steps.into_iter().enumerate().map(|(at, step)| async move {
        match step {
            Step::Ended(end) => (at, end),
            Step::Ready(_) if broken.load(Ordering::Relaxed) => (at, End::NotBegun),
            Step::Ready(prepared) => {
                let end = End::of(prepared.carry_out().await);
                let failed = matches!(end, End::Failed(_));
                broken.fetch_or(failed, Ordering::Relaxed);
                ended(at, &end);
                (at, end)
            }
        }
    });
    let ends = stream::iter(ends).buffer_unordered(RELEASES);
    let mut ends: Vec<(usize, End)> = ends.collect().await;
    ends.sort_unstable_by_key(|(at, _)| *at);
    ends.into_iter().map(|(_, end)| end).collect()
}

/// What is right already is done with: a thousand of them are not held in memory.
async fn look<'a>(request: &'a Request, context: &'a Context) -> Step<'a> {
    let prepared = match prepare(request, context).await {
        Ok(prepared) => prepared,
        Err(failure) => return Step::Ended(End::Failed(failure)),
    };
    if prepared.touches_tags() {
        return Step::Ready(Box::new(prepared));
    }
    match Ahead::look(&prepared).await {
        Ok(ahead) if ahead.is_image_alone() => Step::Ended(End::of(prepared.write(ahead).await)),
        // What it lacks is looked at again when its turn comes, and not held until then.
        Ok(_) => Step::Ready(Box::new(prepared)),
        Err(failure) => Step::Ended(End::Failed(failure)),
    }
}

impl Step<'_> {
    /// Not to be begun.
    fn hold(self) -> Self {
        match self {
            Self::Ready(_) => Self::Ended(End::NotBegun),
            ended => ended,
        }
    }
}

impl End {
    fn of(result: Result<Outcome, Failure>) -> Self {
        match result {
            Ok(outcome) => Self::Done(Box::new(outcome)),
            Err(failure) => Self::Failed(failure),
        }
    }
}
