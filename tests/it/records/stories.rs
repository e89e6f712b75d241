//! Random stories of an environment: releases with and without a record, adoptions, marks, rollbacks and
//! reinstatements, some of which die and are repeated or meet a registry that fails, and some at the same time.
//! After each step tags, timelines, `history` and `inspect` are those of a plain model.

mod checks;
mod model;

use std::collections::BTreeMap;

use fastrand::Rng;
use model::{StoryModel, Wish};
use shipmark::event::{EventFacts, EventInputs};
use shipmark::record::ReleaseMark;
use shipmark::release::{AdoptRequest, MarkRequest, ReleaseVerb, RollbackRequest, TimelineRequest};

use super::*;
use crate::crash::die_at;
use crate::support::record_job::RecordJob;
use crate::support::recorded_stage::named;

/// Versions of three lines, lowest first.
const VERSIONS: [&str; 8] = [
    "1.3.0",
    "1.3.1",
    "1.4.0",
    "1.4.1",
    "1.10.0",
    "2.0.0-rc.1",
    "2.0.0",
    "2.1.0",
];

/// Environments, and the repositories that they release to.
const DEV: &str = "dev";
const PROD: &str = "prod";

/// The registry, and what the next step needs.
struct World {
    stage: Stage,
    digests: BTreeMap<&'static str, String>,
    model: StoryModel,
    /// Whether two runs did not see each other.
    has_forks: bool,
    minute: i64,
    run: u64,
    random: Rng,
    log: Vec<String>,
}

impl World {
    async fn start(seed: u64) -> Self {
        let random = &mut Rng::with_seed(seed);
        let profile = Profile::plain().referrers(random.bool());
        let profile = match random.bool() {
            true => profile,
            false => profile.unsorted_tags().page_size(7),
        };
        let stage = Stage::start(profile).await;
        let each = VERSIONS.into_iter().zip(1..);
        let images = each.map(|(version, number)| (version, stage.build(number, version).digest()));
        Self {
            digests: images.collect(),
            stage,
            model: StoryModel::default(),
            has_forks: false,
            minute: 0,
            run: 0,
            random: random.fork(),
            log: vec![format!("seed {seed}")],
        }
    }

    /// The commit of a version's image was pushed.
    fn push(&self, version: &str) -> ReleaseRequest {
        let number = VERSIONS.iter().position(|it| *it == version).unwrap();
        let sha = commit(u32::try_from(number).unwrap() + 1);
        let facts = EventFacts::parse(&EventInputs {
            name: "push",
            git_ref: Some("refs/heads/main"),
            sha: Some(&sha),
            ..EventInputs::default()
        });
        let source = format!("{}@{}", self.stage.place("stage"), self.digests[version]);
        let place = self.stage.place(DEV);
        request(ReleaseVerb::Push, &source, &[&place], facts.ok())
    }

    fn promotion(&self, version: &str) -> ReleaseRequest {
        let source = format!("{}@{}", self.stage.place(DEV), self.digests[version]);
        promote(&source, &[&self.stage.place(PROD)], "refs/heads/main")
    }

    fn next_run(&mut self) -> (i64, u64) {
        self.minute += 2;
        self.run += 1;
        (self.minute, self.run)
    }

    /// A run of its own that records the release.
    fn begin(&mut self, environment: &str, request: ReleaseRequest) -> ReleaseRequest {
        let (now, run) = self.next_run();
        let mut request = recorded(request, environment, now, run);
        if environment == PROD {
            let from = location(DEV, &self.stage.place(DEV));
            request.record.as_mut().unwrap().source = Some(from);
        }
        request
    }

    /// A run of its own that writes to the timeline of prod.
    fn timeline(&mut self) -> TimelineRequest {
        let (now, run) = self.next_run();
        TimelineRequest {
            location: location(PROD, &self.stage.place(PROD)),
            account: account(now, run),
            signer: None,
            adds_summary: false,
        }
    }

    /// Runs to the end; now and then it dies and is repeated, or the registry fails for a moment.
    async fn complete(&mut self, mut job: RecordJob) {
        let registry = &self.stage.registry;
        registry.clear_log();
        match self.random.u8(..4) {
            0 => {
                for _ in 0..self.random.usize(1..4) {
                    let (at, effect) = (self.random.usize(1..40), failure(&mut self.random));
                    self.log.push(format!("fails: {effect:?} at {at}"));
                    registry.fault(Fault::at(at, effect));
                }
            }
            1 => {
                let (at, effect) = (self.random.usize(1..40), death(&mut self.random));
                self.log.push(format!("dies: {effect:?} at {at}"));
                registry.fault(Fault::at(at, effect));
                die_at(job.run(&context()), registry, at).await;
                registry.clear_faults();
                registry.resume();
                assert_eq!(registry.dangling(), Vec::<String>::new(), "{:#?}", self.log);
                self.minute += 2;
                job.repeat_at(minute(self.minute));
            }
            _ => {}
        }
        if let Err(failure) = job.run(&context()).await {
            panic!("{failure:?} {:#?}", self.log);
        }
        registry.clear_faults();
    }

    /// What is refused writes nothing.
    async fn refused(&self, job: RecordJob) {
        let tags = || [DEV, PROD].map(|it| self.stage.registry.tags(it));
        let before = tags();
        let failure = job.run(&context()).await;
        let is_refusal = matches!(failure, Err(Failure::Refused(_) | Failure::Input(_)));
        assert!(is_refusal, "{failure:?} {:#?}", self.log);
        assert_eq!(tags(), before, "{:#?}", self.log);
    }

    /// Some releases of before there were records, and the adoption of them.
    async fn begin_story(&mut self) {
        let mut versions = VERSIONS.to_vec();
        self.random.shuffle(&mut versions);
        versions.truncate(self.random.usize(..4));
        for version in &versions {
            self.push_version(version).await;
            self.log.push(format!("promote {version} without a record"));
            let mut request = self.promotion(version);
            request.environment = Some(PROD.parse().unwrap());
            done(request, &context()).await;
            self.model.prod.tag(version);
        }
        if !versions.is_empty() {
            self.adopt().await;
            self.model.prod.adopt();
            self.check().await;
        }
    }

    async fn step(&mut self) {
        let wish = self.model.wish(&mut self.random);
        self.log.push(format!("{wish:?}"));
        match wish {
            Wish::Push(version) => self.push_version(version).await,
            Wish::Promote(version) => self.promote(version).await,
            Wish::PromoteBoth(pair) => self.promote_both(pair).await,
            Wish::Reinstate(version) => self.reinstate(version).await,
            Wish::Adopt => self.adopt().await,
            Wish::Mark(state, version) => self.mark(state, version).await,
            Wish::RollBack { withdraw, to } => self.roll_back(withdraw, to).await,
        }
        self.check().await;
    }

    async fn push_version(&mut self, version: &'static str) {
        let request = self.push(version);
        let request = self.begin(DEV, request);
        self.complete(RecordJob::Release(Box::new(request))).await;
        self.model.push(version);
    }

    /// Promotes a version, which is pushed first if it was not yet. One that is withdrawn is refused.
    async fn promote(&mut self, version: &'static str) {
        if !self.model.dev.contains(&version) {
            self.push_version(version).await;
        }
        let request = self.promotion(version);
        let job = RecordJob::Release(Box::new(self.begin(PROD, request)));
        if self.model.prod.is_withdrawn(version) {
            return self.refused(job).await;
        }
        self.complete(job).await;
        self.model.promote(version);
    }

    /// Promotes two versions that were not released yet, at the same time.
    async fn promote_both(&mut self, pair: [&'static str; 2]) {
        for version in pair {
            if !self.model.dev.contains(&version) {
                self.push_version(version).await;
            }
        }
        let [a, b] = pair.map(|version| {
            let request = self.promotion(version);
            self.begin(PROD, request)
        });
        let contexts = [context(), context()];
        tokio::join!(done(a, &contexts[0]), done(b, &contexts[1]));
        self.has_forks = true;
        // Who planned later is the registry's to say.
        let newest = self.records(PROD).last().unwrap().1.root.to_string();
        let [first, second] = pair;
        let order = match newest == self.digests[first] {
            true => [second, first],
            false => [first, second],
        };
        for version in order {
            self.model.promote(version);
        }
    }

    async fn reinstate(&mut self, version: &'static str) {
        let request = self.promotion(version);
        let mut request = self.begin(PROD, request);
        let options = request.record.as_mut().unwrap();
        options.reinstates = true;
        options.account.reason = Some("it was not the image".to_owned());
        self.complete(RecordJob::Release(Box::new(request))).await;
        self.model.prod.release("reinstate", version);
    }

    /// Records what there is without a record: after the beginning nothing.
    async fn adopt(&mut self) {
        let request = AdoptRequest {
            timeline: self.timeline(),
            excluded_versions: Default::default(),
            dry_run: false,
        };
        self.complete(RecordJob::Adopt(request)).await;
    }

    async fn mark(&mut self, state: ReleaseMark, version: Option<&'static str>) {
        let request = MarkRequest {
            timeline: self.timeline(),
            state,
            release: version.map(named),
        };
        self.complete(RecordJob::Mark(request)).await;
        self.model.mark(state, version);
    }

    /// Withdraws a release, or is refused where none is left to go back to.
    async fn roll_back(&mut self, withdraw: Option<&'static str>, to: Option<&'static str>) {
        let request = RollbackRequest {
            timeline: self.timeline(),
            withdraw: withdraw.map(named),
            to: to.map(named),
            excluded_versions: Default::default(),
            dry_run: false,
        };
        let job = RecordJob::RollBack(request);
        if !self.model.can_roll_back(withdraw, to) {
            return self.refused(job).await;
        }
        self.complete(job).await;
        self.model.roll_back(withdraw, to);
    }
}

/// How a registry fails for a moment.
fn failure(random: &mut Rng) -> Effect {
    // Without the machine's time.
    let status = |status| Effect::status_with(status, &[("date", "unknown")], "");
    match random.u8(..5) {
        0 => status(500),
        1 => status(503),
        2 => Effect::ResetBefore,
        3 => Effect::ResetAfter,
        _ => Effect::ResetInBody(1),
    }
}

/// How a run ends that somebody kills.
fn death(random: &mut Rng) -> Effect {
    match random.bool() {
        true => Effect::StopForGood,
        false => Effect::StopForGoodAfter,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_4_after_each_step_of_a_random_story_everything_is_as_the_model_says() {
    let mut taken = BTreeMap::<String, usize>::new();
    for seed in 0..30 {
        let mut world = World::start(seed).await;
        world.begin_story().await;
        for _ in 0..12 {
            world.step().await;
        }
        for entry in &world.model.prod.entries {
            *taken.entry(entry.action.to_owned()).or_default() += 1;
        }
    }
    for action in [
        "adopt",
        "promote",
        "rollback",
        "reinstate",
        "deployed",
        "failed",
    ] {
        let count = taken.get(action).copied().unwrap_or_default();
        assert!(count >= 10, "only {count} of {action}: {taken:?}");
    }
}
