//! Random stories of pushes and promotions, some of which die and are repeated, and some at the same time: after
//! each step tags and timelines are those of a plain model.

use std::collections::BTreeMap;

use fastrand::Rng;
use shipmark::event::{EventFacts, EventInputs};
use shipmark::record::{RecordId, ReleaseRecord};
use shipmark::release::ReleaseVerb;

use super::*;
use crate::crash::run_and_die;

/// Versions of three lines, lowest first.
const VERSIONS: [&str; 7] = [
    "1.3.0", "1.3.1", "1.4.0", "1.4.1", "1.10.0", "2.0.0", "2.1.0",
];

/// Environments, and the repositories that they release to.
const DEV: &str = "dev";
const PROD: &str = "prod";

/// What happened in one environment, as a list of (action, version).
#[derive(Default, Debug, Clone, PartialEq)]
struct ModelTimeline(Vec<(&'static str, usize)>);

/// What ought to be there.
#[derive(Default, Debug)]
struct Model {
    dev: ModelTimeline,
    prod: ModelTimeline,
}

impl ModelTimeline {
    fn current(&self) -> Option<usize> {
        self.0.last().map(|(_, version)| *version)
    }

    fn has(&self, version: usize) -> bool {
        self.0.iter().any(|(_, released)| *released == version)
    }

    /// A release of the current image says nothing new.
    fn release(&mut self, action: &'static str, version: usize) {
        if self.current() != Some(version) {
            self.0.push((action, version));
        }
    }

    /// Highest release whose version begins like this.
    fn highest(&self, line: &str) -> Option<usize> {
        let of_line = |version: &usize| {
            let line = format!("{line}.");
            VERSIONS[*version].starts_with(&line) || line == "latest."
        };
        let released = self.0.iter().map(|(_, version)| *version);
        released.filter(of_line).max()
    }

    /// The version tags, the lines and the environment's tag.
    fn tags(&self) -> BTreeMap<String, usize> {
        let mut tags = BTreeMap::new();
        for (_, version) in &self.0 {
            let text = VERSIONS[*version];
            tags.insert(text.to_owned(), *version);
            let (minor, _) = text.rsplit_once('.').unwrap();
            let (major, _) = minor.rsplit_once('.').unwrap();
            for line in [minor, major, "latest"] {
                tags.insert(line.to_owned(), self.highest(line).unwrap());
            }
        }
        tags.extend(self.current().map(|version| (PROD.to_owned(), version)));
        tags
    }
}

/// The registry, and what the next step needs.
struct World {
    stage: Stage,
    images: Vec<MadeImage>,
    model: Model,
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
        let each = VERSIONS.iter().zip(1..);
        let images = each.map(|(version, number)| stage.build(number, version));
        Self {
            images: images.collect(),
            stage,
            model: Model::default(),
            minute: 0,
            run: 0,
            random: random.fork(),
            log: Vec::new(),
        }
    }

    /// The commit of a version's image was pushed.
    fn push(&self, version: usize) -> ReleaseRequest {
        let sha = commit(u32::try_from(version).unwrap() + 1);
        let facts = EventFacts::parse(&EventInputs {
            name: "push",
            git_ref: Some("refs/heads/main"),
            sha: Some(&sha),
            ..EventInputs::default()
        });
        let image = self.images[version].digest();
        let source = format!("{}@{image}", self.stage.place("stage"));
        let place = self.stage.place(DEV);
        request(ReleaseVerb::Push, &source, &[&place], facts.ok())
    }

    fn promotion(&self, version: usize) -> ReleaseRequest {
        let image = self.images[version].digest();
        let source = format!("{}@{image}", self.stage.place(DEV));
        promote(&source, &[&self.stage.place(PROD)], "refs/heads/main")
    }

    /// A run of its own that records the release.
    fn begin(&mut self, environment: &str, request: ReleaseRequest) -> ReleaseRequest {
        self.minute += 2;
        self.run += 1;
        let mut request = recorded(request, environment, self.minute, self.run);
        if environment == PROD {
            let from = location(DEV, &self.stage.place(DEV));
            request.record.as_mut().unwrap().source = Some(from);
        }
        request
    }

    /// The same run, repeated later.
    fn repeat(&mut self, mut request: ReleaseRequest) -> ReleaseRequest {
        self.minute += 2;
        let now = minute(self.minute);
        let account = &mut request.record.as_mut().unwrap().account;
        account.now = now;
        account.run.as_mut().unwrap().attempt = Some(2);
        request
    }

    /// Runs to the end; now and then it dies, and is repeated.
    async fn complete(&mut self, request: ReleaseRequest) {
        if self.random.u8(..3) > 0 {
            done(request, &context()).await;
            return;
        }
        let registry = &self.stage.registry;
        registry.clear_log();
        let at = self.random.usize(1..40);
        let effect = match self.random.bool() {
            true => Effect::StopForGood,
            false => Effect::StopForGoodAfter,
        };
        self.log.push(format!("dies: {effect:?} at {at}"));
        registry.fault(Fault::at(at, effect));
        run_and_die(&request, registry, at).await;
        registry.clear_faults();
        registry.resume();
        assert_eq!(registry.dangling(), Vec::<String>::new(), "{:#?}", self.log);
        let again = self.repeat(request);
        done(again, &context()).await;
    }

    async fn step(&mut self) {
        let version = self.random.usize(..VERSIONS.len());
        match self.random.u8(..5) {
            0 => self.push_version(version).await,
            1 => self.promote_pair().await,
            _ => {
                if !self.model.dev.has(version) {
                    self.push_version(version).await;
                }
                self.log.push(format!("promote {}", VERSIONS[version]));
                let request = self.promotion(version);
                let request = self.begin(PROD, request);
                self.complete(request).await;
                self.model.prod.release("promote", version);
            }
        }
        self.check();
    }

    async fn push_version(&mut self, version: usize) {
        self.log.push(format!("push {}", VERSIONS[version]));
        let request = self.push(version);
        let request = self.begin(DEV, request);
        self.complete(request).await;
        self.model.dev.release("push", version);
    }

    /// Two versions that were not released yet, at the same time.
    async fn promote_pair(&mut self) {
        let mut new: Vec<usize> = (0..VERSIONS.len()).collect();
        new.retain(|version| !self.model.prod.has(*version));
        self.random.shuffle(&mut new);
        let [first, second, ..] = new[..] else {
            return;
        };
        for version in [first, second] {
            if !self.model.dev.has(version) {
                self.push_version(version).await;
            }
        }
        self.log
            .push(format!("both {} and {}", VERSIONS[first], VERSIONS[second]));
        let [a, b] = [first, second].map(|version| {
            let request = self.promotion(version);
            self.begin(PROD, request)
        });
        let contexts = [context(), context()];
        let both = [(a, &contexts[0]), (b, &contexts[1])];
        let both = both.map(|(request, context)| done(request, context));
        futures_util::future::join_all(both).await;
        // Who planned later is the registry's to say.
        let records = self.records(PROD);
        let newest = records.last().unwrap().1.root.to_string();
        let is_first_last = newest == self.images[first].digest();
        let order = match is_first_last {
            true => [second, first],
            false => [first, second],
        };
        for version in order {
            self.model.prod.release("promote", version);
        }
    }

    fn records(&self, repository: &str) -> Vec<(RecordId, ReleaseRecord)> {
        let names = entries(&self.stage.registry, repository).into_iter();
        let read = |name: String| {
            let record = record(&self.stage.registry, repository, &name);
            (RecordId::from_blob(&record.to_statement()), record)
        };
        names.map(read).collect()
    }

    fn check(&self) {
        let log = &self.log;
        let registry = &self.stage.registry;
        assert_eq!(registry.dangling(), Vec::<String>::new(), "{log:#?}");
        let digest = |version: usize| self.images[version].digest();
        let expected = self.model.prod.tags().into_iter();
        let expected: BTreeMap<_, _> = expected
            .map(|(tag, version)| (tag, digest(version)))
            .collect();
        let mut tags = registry.tags(PROD);
        tags.retain(|tag, _| {
            !["shipmark.", "sha256-", "git-"]
                .iter()
                .any(|it| tag.starts_with(it))
        });
        assert_eq!(tags, expected, "{log:#?}");
        let current = self.model.dev.current().map(digest);
        assert_eq!(registry.tags(DEV).get("main"), current.as_ref(), "{log:#?}");
        self.check_timeline(DEV, &self.model.dev);
        self.check_timeline(PROD, &self.model.prod);
    }

    fn check_timeline(&self, environment: &str, model: &ModelTimeline) {
        let log = &self.log;
        let records = self.records(environment);
        let told = records.iter().map(|(_, record)| {
            let action = record.predicate.action.to_string();
            (action, record.root.to_string())
        });
        let expected = model
            .0
            .iter()
            .map(|(action, version)| ((*action).to_owned(), self.images[*version].digest()));
        let (told, expected): (Vec<_>, Vec<_>) = (told.collect(), expected.collect());
        assert_eq!(told, expected, "{environment} {log:#?}");
        let dev: Vec<RecordId> = self.records(DEV).iter().map(|(id, _)| *id).collect();
        let mut seen = Vec::new();
        for (id, record) in &records {
            let predicate = &record.predicate;
            assert!(
                predicate.previous.iter().all(|it| seen.contains(it)),
                "{log:#?}"
            );
            assert_eq!(predicate.previous.is_empty(), predicate.past.is_empty());
            let before = predicate.source.as_ref().unwrap().record;
            if environment == PROD {
                assert!(dev.contains(&before.unwrap()), "{log:#?}");
            }
            seen.push(*id);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_4_after_each_step_of_a_random_story_tags_and_timelines_are_those_of_the_model() {
    for seed in 0..40 {
        let mut world = World::start(seed).await;
        world.log.push(format!("seed {seed}"));
        for _ in 0..8 {
            world.step().await;
        }
    }
}
