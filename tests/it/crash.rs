//! A run that dies at any request: whatever was asked by then, no tag names anything unfinished, and
//! the next run ends where an undisturbed one does.

use std::collections::BTreeMap;
use std::time::Duration;

use shipmark::release::{Request, run};
use shipmark::tagging::TagRules;

use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::*;

/// The registries of a promotion: one to read from, two to write to.
struct Stage {
    from: Registry,
    to: [Registry; 2],
}

impl Stage {
    async fn set() -> Self {
        let from = Registry::start(Profile::plain()).await;
        let to = [
            Registry::start(Profile::plain()).await,
            Registry::start(Profile::plain()).await,
        ];
        let stage = Self { from, to };
        done(
            push(&example(), &[&stage.source()], "refs/heads/main"),
            &context(),
        )
        .await;
        for registry in stage.all() {
            registry.clear_log();
        }
        stage
    }

    fn all(&self) -> [&Registry; 3] {
        [&self.from, &self.to[0], &self.to[1]]
    }

    fn source(&self) -> String {
        format!("{}/dev/web", self.from.host())
    }

    /// Four tags, two of them immutable, to two destinations.
    fn promotion(&self) -> Request {
        let places = self
            .to
            .each_ref()
            .map(|registry| format!("{}/prod/web", registry.host()));
        let places = places.each_ref().map(String::as_str);
        let mut request = promote(
            &format!("{}:main", self.source()),
            &places,
            "refs/tags/v1.4.0",
        );
        request.rules = TagRules::read([
            "1.4.0",
            "type=raw,value=frozen,immutable=true",
            "stable",
            "prod",
        ])
        .unwrap();
        request
    }

    /// What both destinations hold, by tag.
    fn state(&self) -> [BTreeMap<String, String>; 2] {
        self.to.each_ref().map(|registry| registry.tags("prod/web"))
    }

    fn assert_nothing_unfinished(&self, when: &str) {
        for registry in &self.to {
            assert_eq!(registry.dangling(), Vec::<String>::new(), "{when}");
            for (tag, digest) in registry.tags("prod/web") {
                assert_eq!(digest, example_root().to_string(), "{when}: {tag}");
            }
        }
    }
}

/// Runs until the registry stops answering, and is then killed, as a runner kills a job.
async fn run_and_die(request: &Request, stopped: &Registry) {
    let context = context();
    tokio::select! {
        outcome = run(request, &context) => panic!("it ended before it was killed: {outcome:?}"),
        () = async {
            stopped.stopped().await;
            // What was under way beside the request that is not answered may come to its end.
            tokio::time::sleep(Duration::from_millis(20)).await;
        } => {}
    }
}

async fn undisturbed() -> ([BTreeMap<String, String>; 2], [usize; 3]) {
    let stage = Stage::set().await;
    done(stage.promotion(), &context()).await;
    stage.assert_nothing_unfinished("undisturbed");
    (stage.state(), stage.all().map(Registry::count))
}

async fn dies_at_every_request(effect: fn() -> Effect) {
    let (expected, requests) = undisturbed().await;
    assert!(requests.iter().all(|count| *count > 5), "{requests:?}");
    for (which, count) in requests.into_iter().enumerate() {
        for at in 1..=count {
            let stage = Stage::set().await;
            let when = format!("registry {which}, request {at} of {count}");
            let registry = stage.all()[which];
            registry.fault(Fault::at(at, effect()));
            run_and_die(&stage.promotion(), registry).await;
            stage.assert_nothing_unfinished(&when);
            registry.clear_faults();
            registry.resume();
            done(stage.promotion(), &context()).await;
            stage.assert_nothing_unfinished(&when);
            assert_eq!(stage.state(), expected, "{when}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_a_run_killed_before_any_request_is_finished_by_the_next() {
    dies_at_every_request(|| Effect::StopForGood).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_a_run_killed_after_any_request_is_finished_by_the_next() {
    dies_at_every_request(|| Effect::StopForGoodAfter).await;
}
