//! A recorded promotion that dies at any request: no tag names anything unfinished, and its repetition ends where
//! an undisturbed run does, with one entry.

use futures_util::{StreamExt, stream};
use serde_json::Value;
use shipmark::record::ReleaseRecord;
use shipmark::signing::PrivateKey;

use super::*;
use crate::crash::run_and_die;

/// Deaths at the same time: most of them wait.
const AT_ONCE: usize = 4;

/// How the promotion is recorded, and by which registry.
#[derive(Clone)]
struct Setting {
    referrers: bool,
    key: Option<PrivateKey>,
    /// Repository of the entries.
    entries: &'static str,
}

impl Setting {
    fn each() -> Vec<Self> {
        let keys = [None, Some(keys::key())];
        let each = keys.into_iter().flat_map(|key| {
            [(true, "prod"), (false, "prod"), (true, "records")].map(|(referrers, entries)| Self {
                referrers,
                key: key.clone(),
                entries,
            })
        });
        each.collect()
    }

    fn describe(&self, effect: &Effect, at: usize) -> String {
        format!(
            "{effect:?} at {at}, referrers {}, signed {}, entries in {}",
            self.referrers,
            self.key.is_some(),
            self.entries
        )
    }

    /// A registry with 1.3.0 in the timeline, and 1.4.0 and 1.5.0 to be released.
    async fn stage(&self) -> (Stage, [MadeImage; 3]) {
        let stage = Stage::start(Profile::plain().referrers(self.referrers)).await;
        let images =
            [(1, "1.3.0"), (2, "1.4.0"), (3, "1.5.0")].map(|(number, it)| stage.build(number, it));
        done(self.request(&stage, "1.3.0", 0, 1), &context()).await;
        stage.registry.clear_log();
        (stage, images)
    }

    fn request(&self, stage: &Stage, version: &str, now: i64, run: u64) -> ReleaseRequest {
        let mut request = stage.promotion(version, now, run);
        request.signing = self.key.as_ref().map(keys::signing);
        if self.entries != "prod" {
            let place = stage.place(self.entries).parse().unwrap();
            request.record.as_mut().unwrap().entries_at = Some(place);
        }
        request
    }

    /// The job that dies.
    fn first_attempt(&self, stage: &Stage) -> ReleaseRequest {
        self.request(stage, "1.4.0", 2, 2)
    }

    /// The same job, repeated later.
    fn second_attempt(&self, stage: &Stage) -> ReleaseRequest {
        let mut request = self.request(stage, "1.4.0", 9, 2);
        let options = request.record.as_mut().unwrap();
        options.account.run.as_mut().unwrap().attempt = Some(2);
        request
    }

    fn records(&self, stage: &Stage) -> Vec<(String, ReleaseRecord)> {
        let names = entries(&stage.registry, self.entries).into_iter();
        let read = |name: String| {
            let read = any_record(&stage.registry, self.entries, &name);
            (name, read)
        };
        names.map(read).collect()
    }

    /// The entries of a run.
    fn entries_of(&self, stage: &Stage, run: u64) -> Vec<(String, ReleaseRecord)> {
        let mut records = self.records(stage);
        records.retain(|(_, record)| is_of_run(record, run));
        records
    }
}

fn is_of_run(record: &ReleaseRecord, run: u64) -> bool {
    let uri = account(0, run).run.unwrap().uri;
    record.predicate.run.as_ref().unwrap().uri == uri
}

/// The listed intents of 1.4.0's run.
fn intents(setting: &Setting, stage: &Stage, root: &str) -> Vec<Value> {
    let list = stage.registry.manifest("prod", &root.replace(':', "-"));
    let list = list.map(|(_, list)| serde_json::from_slice::<Value>(&list).unwrap());
    let listed = match (setting.referrers, list) {
        (true, _) => stage.registry.referrers("prod", root),
        (false, None) => Vec::new(),
        (false, Some(list)) => list["manifests"].as_array().unwrap().clone(),
    };
    let is_intent = |entry: &Value| entry["annotations"]["dev.shipmark.environment"] == "prod";
    listed.into_iter().filter(is_intent).collect()
}

/// The tags of the images.
fn image_tags(stage: &Stage) -> std::collections::BTreeMap<String, String> {
    let mut tags = stage.registry.tags("prod");
    tags.retain(|tag, _| !tag.starts_with("sha256-") && !tag.starts_with("shipmark."));
    tags
}

/// The record without what differs between two stages and two attempts.
fn comparable(record: &ReleaseRecord, stage: &Stage) -> Value {
    let text = String::from_utf8(record.to_statement()).unwrap();
    let text = text.replace(&stage.registry.host(), "HOST");
    let mut statement: Value = serde_json::from_str(&text).unwrap();
    let predicate = &mut statement["predicate"];
    for part in ["/plannedAt", "/run/attempt", "/previous", "/past/0/record"] {
        *predicate.pointer_mut(part).unwrap() = Value::Null;
    }
    statement
}

fn assert_nothing_unfinished(setting: &Setting, stage: &Stage, images: &[MadeImage], when: &str) {
    assert_eq!(stage.registry.dangling(), Vec::<String>::new(), "{when}");
    let tags = image_tags(stage);
    let new = images[1].digest();
    let named: Vec<&String> = tags
        .iter()
        .filter(|(_, at)| **at == new)
        .map(|(tag, _)| tag)
        .collect();
    let is_immutable = |tag: &&String| *tag == "1.4.0" || tag.starts_with("git-");
    if !named.is_empty() {
        assert_eq!(
            intents(setting, stage, &new).len(),
            1,
            "{when}: the intent is before {named:?}"
        );
    }
    if !named.iter().all(is_immutable) {
        let immutable = named.iter().filter(|tag| is_immutable(tag));
        assert_eq!(
            immutable.count(),
            2,
            "{when}: the immutable tags are before {named:?}"
        );
    }
    let entries = setting.entries_of(stage, 2);
    if !entries.is_empty() {
        assert_eq!(tags["prod"], new, "{when}: the entry is last");
        assert_eq!(tags["latest"], new, "{when}: the entry is last");
    }
}

async fn dies(setting: &Setting, at: usize, effect: Effect, when: &str) -> (Stage, [MadeImage; 3]) {
    let (stage, images) = setting.stage().await;
    stage.registry.fault(Fault::at(at, effect));
    run_and_die(&setting.first_attempt(&stage), &stage.registry, at).await;
    stage.registry.clear_faults();
    stage.registry.resume();
    assert_nothing_unfinished(setting, &stage, &images, when);
    (stage, images)
}

async fn at_every_death(check: impl AsyncFn(Setting, Undisturbed, usize, Effect)) {
    for setting in Setting::each() {
        let undisturbed = Undisturbed::run(&setting).await;
        let count = undisturbed.requests;
        assert!(count > 20, "{count}");
        let deaths = (1..=count).flat_map(|at| {
            let effects = [Effect::StopForGood, Effect::StopForGoodAfter];
            effects.map(|effect| (at, effect))
        });
        stream::iter(deaths)
            .for_each_concurrent(AT_ONCE, |(at, effect)| {
                check(setting.clone(), undisturbed.clone(), at, effect)
            })
            .await;
    }
}

/// What an undisturbed run leaves, and how many requests it takes.
#[derive(Clone)]
struct Undisturbed {
    tags: std::collections::BTreeMap<String, String>,
    record: Value,
    requests: usize,
}

impl Undisturbed {
    async fn run(setting: &Setting) -> Self {
        let (stage, images) = setting.stage().await;
        done(setting.first_attempt(&stage), &context()).await;
        let requests = stage.registry.count();
        assert_nothing_unfinished(setting, &stage, &images, "undisturbed");
        let entries = setting.entries_of(&stage, 2);
        Self {
            record: comparable(&entries[0].1, &stage),
            tags: image_tags(&stage),
            requests,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_a_recorded_run_killed_at_any_request_is_finished_by_its_repetition() {
    at_every_death(async |setting, undisturbed, at, effect| {
        let when = setting.describe(&effect, at);
        let (stage, images) = dies(&setting, at, effect, &when).await;
        done(setting.second_attempt(&stage), &context()).await;
        assert_nothing_unfinished(&setting, &stage, &images, &when);
        assert_eq!(image_tags(&stage), undisturbed.tags, "{when}");
        let entries = setting.records(&stage);
        assert_eq!(entries.len(), 2, "{when}: {entries:?}");
        let [(first, _), (_, own)] = &entries[..] else {
            unreachable!("two entries");
        };
        assert_eq!(comparable(own, &stage), undisturbed.record, "{when}");
        let past: Vec<_> = own.predicate.past.iter().map(|past| past.record).collect();
        assert_eq!(own.predicate.previous, past, "{when}");
        let digits = &past[0].digest().to_hex()[..12];
        assert!(first.ends_with(digits), "{when}");
        // Once more there is nothing to do.
        let mut again = setting.second_attempt(&stage);
        again.signing = None;
        stage.registry.clear_log();
        let outcome = done(again, &context()).await;
        assert!(!outcome.has_changes(), "{when}");
        assert_eq!(stage.registry.count_of("PUT "), 0, "{when}");
    })
    .await;
}

/// The job dies, a newer release follows, and then the old job is repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_a_killed_run_that_a_newer_release_follows_is_completed_or_refused() {
    at_every_death(async |setting, _, at, effect| {
        let when = setting.describe(&effect, at);
        let (stage, images) = dies(&setting, at, effect, &when).await;
        let [_, old, new] = images.each_ref().map(MadeImage::digest);
        let has_intent = !intents(&setting, &stage, &old).is_empty();
        let has_entry = !setting.entries_of(&stage, 2).is_empty();
        done(setting.request(&stage, "1.5.0", 4, 3), &context()).await;
        let again = setting.second_attempt(&stage);
        stage.registry.clear_log();
        let outcome = run(&again, &context()).await;
        let environment = image_tags(&stage)["prod"].clone();
        match (has_intent, has_entry) {
            (_, true) => {
                assert!(
                    matches!(outcome, Err(Failure::Refused(_))),
                    "{when}: {outcome:?}"
                );
                assert_eq!(stage.registry.count_of("PUT "), 0, "{when}");
                assert_eq!(environment, new, "{when}");
            }
            (true, false) => {
                let result = outcome.unwrap().destinations[0].record.clone().unwrap();
                assert!(
                    result.superseded.is_some(),
                    "{when}: {result:?} {:?}",
                    stage.entries()
                );
                assert_eq!(result.planned_at, minute(2), "{when}");
                assert_eq!(environment, new, "{when}");
            }
            (false, false) => {
                let result = outcome.unwrap().destinations[0].record.clone().unwrap();
                assert_eq!(result.planned_at, minute(9), "{when}");
                assert_eq!(environment, old, "{when}");
            }
        }
        assert_eq!(setting.entries_of(&stage, 2).len(), 1, "{when}");
        assert_eq!(setting.records(&stage).len(), 3, "{when}");
        let tags = image_tags(&stage);
        assert_eq!([&tags["latest"], &tags["1.4.0"]], [&new, &old], "{when}");
        assert_eq!(stage.registry.dangling(), Vec::<String>::new(), "{when}");
    })
    .await;
}
