//! A run that dies at any request: whatever was asked by then, no tag names anything unfinished, and
//! the next run ends where an undisturbed one does.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::Value;
use shipmark::referrers::ReferrerSelection;
use shipmark::release::{Failure, ReleaseRequest, SignatureFormat, run};
use shipmark::signing::PrivateKey;
use shipmark::tagging::TagRules;

use crate::client::put_image;
use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::*;

/// What is promoted.
#[derive(Clone)]
enum What {
    /// The example.
    Image,
    /// The example, which the run signs in both forms.
    Signed(PrivateKey),
    /// A small image with a signature of each form beside it, which travel.
    Beside,
    /// The example, which the first key has signed in both forms; these travel, and the run signs with
    /// the second. Both go to the same lists.
    SignedTwice([PrivateKey; 2]),
}

impl What {
    /// The keys that have to have signed what a tag names.
    fn keys(&self) -> &[PrivateKey] {
        match self {
            Self::Image | Self::Beside => &[],
            Self::Signed(key) => std::slice::from_ref(key),
            Self::SignedTwice(keys) => keys,
        }
    }
}

/// The registries of a promotion: one to read from, two to write to, of which the second has no
/// referrers API where that makes a difference.
struct Stage {
    from: Registry,
    to: [Registry; 2],
    what: What,
    root: String,
    /// What is to be beside the image: a digest, and a tag.
    beside: Vec<String>,
}

impl Stage {
    async fn set(what: &What) -> Self {
        let from = Registry::start(Profile::plain()).await;
        let second = match what {
            What::Image => Profile::plain(),
            _ => Profile::plain().referrers(false),
        };
        let to = [
            Registry::start(Profile::plain()).await,
            Registry::start(second).await,
        ];
        let mut stage = Self {
            from,
            to,
            what: what.clone(),
            root: example_root().to_string(),
            beside: Vec::new(),
        };
        match what {
            What::Beside => stage.decorate(),
            What::SignedTwice([key, _]) => {
                let mut image = push(&example(), &[&stage.repository()], "refs/heads/main");
                image.signing = Some(keys::signing(key));
                done(image, &context()).await;
                stage.from.clear_log();
            }
            _ => put_example(&stage.from, "dev/web", "main"),
        }
        stage
    }

    fn decorate(&mut self) {
        self.root = put_image(&self.from, &[(1000, 1)]);
        let (bundle, _) = attach::signed(&self.from, "big", &self.root, "a signature");
        attach::signed_by_tag(&self.from, "big", &self.root);
        let tag = format!("{}.sig", self.root.replace(':', "-"));
        self.beside = vec![bundle, tag];
    }

    fn all(&self) -> [&Registry; 3] {
        [&self.from, &self.to[0], &self.to[1]]
    }

    fn repository(&self) -> String {
        format!("{}/dev/web", self.from.host())
    }

    fn source(&self) -> String {
        match self.what {
            What::Beside => format!("{}/big:1", self.from.host()),
            _ => format!("{}:main", self.repository()),
        }
    }

    /// Four tags, two of them immutable, to two destinations.
    fn promotion(&self) -> ReleaseRequest {
        let places = self
            .to
            .each_ref()
            .map(|registry| format!("{}/prod/web", registry.host()));
        let places = places.each_ref().map(String::as_str);
        let mut request = promote(&self.source(), &places, "refs/tags/v1.4.0");
        request.rules = TagRules::parse([
            "1.4.0",
            "type=raw,value=frozen,immutable=true",
            "stable",
            "prod",
        ])
        .unwrap();
        match &self.what {
            What::Image => {}
            What::Signed(key) => request.signing = Some(keys::signing(key)),
            What::Beside => request.referrers = ReferrerSelection::Known,
            What::SignedTwice([_, key]) => {
                request.referrers = ReferrerSelection::Known;
                request.signing = Some(keys::signing(key));
            }
        }
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

    /// Wherever a tag names the image, each key has signed it in both forms, and once.
    async fn assert_signed(&self, when: &str) {
        for (registry, tags) in self.to.iter().zip(self.state()) {
            let Some(tag) = tags.keys().next() else {
                continue;
            };
            for beside in &self.beside {
                let has = registry.has_manifest("prod/web", beside);
                assert!(has, "{when}: no {beside} at {}", registry.host());
            }
            if let Some(bundle) = self.beside.first() {
                assert_eq!(self.listed(registry), [bundle.as_str()], "{when}");
            }
            for key in self.what.keys() {
                let at = format!("{}/prod/web:{tag}", registry.host());
                let found = keys::good(&at, key, &context()).await;
                assert_eq!(
                    found,
                    [SignatureFormat::Bundle, SignatureFormat::Legacy],
                    "{when}: {at}"
                );
            }
        }
    }

    /// What a destination lists beside the image.
    fn listed(&self, registry: &Registry) -> Vec<String> {
        let tag = self.root.replace(':', "-");
        let list = registry.manifest("prod/web", &tag);
        let list = match list {
            Some((_, list)) => serde_json::from_slice::<Value>(&list).unwrap()["manifests"]
                .as_array()
                .unwrap()
                .clone(),
            None => registry.referrers("prod/web", &self.root),
        };
        let digests = list.iter().map(|entry| entry["digest"].as_str().unwrap());
        digests.map(str::to_owned).collect()
    }

    fn assert_nothing_unfinished(&self, when: &str) {
        for (registry, tags) in self.to.iter().zip(self.state()) {
            assert_eq!(registry.dangling(), Vec::<String>::new(), "{when}");
            for (tag, digest) in tags {
                assert_eq!(digest, self.root, "{when}: {tag}");
            }
        }
    }
}

/// Runs until the registry stops answering at a request, and is then killed, as a runner kills a job. What
/// runs side by side may take a request less than another time, and the last of them is then never asked.
pub async fn run_and_die(request: &ReleaseRequest, stopped: &Registry, at: usize) {
    let context = context();
    die_at(run(request, &context), stopped, at).await;
}

/// The same, of any verb.
pub async fn die_at<T: std::fmt::Debug>(
    run: impl Future<Output = Result<T, Failure>>,
    stopped: &Registry,
    at: usize,
) {
    tokio::select! {
        outcome = run => {
            assert!(stopped.count() < at, "it ended before it was killed: {outcome:?}");
            outcome.expect("nothing stood in its way");
        }
        () = async {
            stopped.stopped().await;
            // What was under way beside the request that is not answered may come to its end.
            tokio::time::sleep(Duration::from_millis(20)).await;
        } => {}
    }
}

async fn undisturbed(what: &What) -> ([BTreeMap<String, String>; 2], [usize; 3]) {
    let stage = Stage::set(what).await;
    done(stage.promotion(), &context()).await;
    stage.assert_nothing_unfinished("undisturbed");
    let counts = stage.all().map(Registry::count);
    stage.assert_signed("undisturbed").await;
    (stage.state(), counts)
}

/// Deaths at the same time: most of them wait.
const AT_ONCE: usize = 4;

async fn dies_at_every_request(effect: fn() -> Effect, what: &What) {
    let (expected, requests) = undisturbed(what).await;
    assert!(requests.iter().all(|count| *count > 5), "{requests:?}");
    let each = requests.into_iter().enumerate();
    let deaths = each.flat_map(|(which, count)| (1..=count).map(move |at| (which, at)));
    stream::iter(deaths)
        .for_each_concurrent(AT_ONCE, |(which, at)| {
            let expected = &expected;
            async move { dies_at(which, at, effect(), what, expected).await }
        })
        .await;
}

async fn dies_at(
    which: usize,
    at: usize,
    effect: Effect,
    what: &What,
    expected: &[BTreeMap<String, String>; 2],
) {
    let stage = Stage::set(what).await;
    let when = format!("registry {which}, request {at}");
    let registry = stage.all()[which];
    registry.fault(Fault::at(at, effect));
    run_and_die(&stage.promotion(), registry, at).await;
    stage.assert_nothing_unfinished(&when);
    registry.clear_faults();
    registry.resume();
    stage.assert_signed(&when).await;
    done(stage.promotion(), &context()).await;
    stage.assert_nothing_unfinished(&when);
    stage.assert_signed(&when).await;
    assert_eq!(stage.state(), *expected, "{when}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_a_run_killed_before_any_request_is_finished_by_the_next() {
    dies_at_every_request(|| Effect::StopForGood, &What::Image).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_a_run_killed_after_any_request_is_finished_by_the_next() {
    dies_at_every_request(|| Effect::StopForGoodAfter, &What::Image).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_no_tag_names_what_is_not_signed_wherever_a_run_is_killed() {
    let signed = What::Signed(keys::key());
    dies_at_every_request(|| Effect::StopForGood, &signed).await;
    dies_at_every_request(|| Effect::StopForGoodAfter, &signed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_no_tag_names_what_lacks_its_signatures_wherever_a_run_is_killed() {
    dies_at_every_request(|| Effect::StopForGood, &What::Beside).await;
    dies_at_every_request(|| Effect::StopForGoodAfter, &What::Beside).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_no_tag_names_what_is_signed_in_part_wherever_a_run_is_killed() {
    let twice = What::SignedTwice([keys::key(), keys::key()]);
    dies_at_every_request(|| Effect::StopForGoodAfter, &twice).await;
}
