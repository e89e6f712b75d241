//! A run that dies at any request: whatever was asked by then, no tag names anything unfinished, and
//! the next run ends where an undisturbed one does.

use std::collections::BTreeMap;
use std::time::Duration;

use shipmark::release::{Form, Request, run};
use shipmark::signing::PrivateKey;
use shipmark::tagging::TagRules;

use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::*;

/// The registries of a promotion: one to read from, two to write to.
struct Stage {
    from: Registry,
    to: [Registry; 2],
    key: Option<PrivateKey>,
}

impl Stage {
    async fn set(key: Option<&PrivateKey>) -> Self {
        let from = Registry::start(Profile::plain()).await;
        let to = [
            Registry::start(Profile::plain()).await,
            Registry::start(match key {
                None => Profile::plain(),
                Some(_) => Profile::plain().referrers(false),
            })
            .await,
        ];
        let key = key.cloned();
        let stage = Self { from, to, key };
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
        request.signing = self.key.as_ref().map(keys::signing);
        request
    }

    /// What both destinations hold, by tag. A signature is another one each time.
    fn state(&self) -> [BTreeMap<String, String>; 2] {
        self.to.each_ref().map(|registry| {
            let mut tags = registry.tags("prod/web");
            tags.retain(|tag, _| !tag.starts_with("sha256-"));
            tags
        })
    }

    /// Wherever a tag names the image, it is signed in both forms, and once.
    async fn assert_signed(&self, when: &str) {
        let Some(key) = &self.key else { return };
        for (registry, tags) in self.to.iter().zip(self.state()) {
            if let Some(tag) = tags.keys().next() {
                let at = format!("{}/prod/web:{tag}", registry.host());
                let found = keys::good(&at, key, &context()).await;
                assert_eq!(found, [Form::Bundle, Form::Legacy], "{when}: {at}");
            }
        }
    }

    fn assert_nothing_unfinished(&self, when: &str) {
        for (registry, tags) in self.to.iter().zip(self.state()) {
            assert_eq!(registry.dangling(), Vec::<String>::new(), "{when}");
            for (tag, digest) in tags {
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

async fn undisturbed(key: Option<&PrivateKey>) -> ([BTreeMap<String, String>; 2], [usize; 3]) {
    let stage = Stage::set(key).await;
    done(stage.promotion(), &context()).await;
    stage.assert_nothing_unfinished("undisturbed");
    let counts = stage.all().map(Registry::count);
    stage.assert_signed("undisturbed").await;
    (stage.state(), counts)
}

async fn dies_at_every_request(effect: fn() -> Effect, key: Option<&PrivateKey>) {
    let (expected, requests) = undisturbed(key).await;
    assert!(requests.iter().all(|count| *count > 5), "{requests:?}");
    for (which, count) in requests.into_iter().enumerate() {
        for at in 1..=count {
            let stage = Stage::set(key).await;
            let when = format!("registry {which}, request {at} of {count}");
            let registry = stage.all()[which];
            registry.fault(Fault::at(at, effect()));
            run_and_die(&stage.promotion(), registry).await;
            stage.assert_nothing_unfinished(&when);
            registry.clear_faults();
            registry.resume();
            stage.assert_signed(&when).await;
            done(stage.promotion(), &context()).await;
            stage.assert_nothing_unfinished(&when);
            stage.assert_signed(&when).await;
            assert_eq!(stage.state(), expected, "{when}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_a_run_killed_before_any_request_is_finished_by_the_next() {
    dies_at_every_request(|| Effect::StopForGood, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_a_run_killed_after_any_request_is_finished_by_the_next() {
    dies_at_every_request(|| Effect::StopForGoodAfter, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_no_tag_names_what_is_not_signed_wherever_a_run_is_killed() {
    let key = keys::key();
    dies_at_every_request(|| Effect::StopForGood, Some(&key)).await;
    dies_at_every_request(|| Effect::StopForGoodAfter, Some(&key)).await;
}
