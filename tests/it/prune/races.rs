//! Pushes, tags, promotions and rollbacks while a run deletes: in every order of their requests either nothing that stays
//! has a hole, or the check after the run finds it.

use serde_json::json;
use shipmark::prune::{PlanFile, PruneOutcome};
use shipmark::release::Failure;
use tokio::task::LocalSet;

use super::stage::*;
use crate::registry::{Gate, Profile, Registry};
use crate::support::*;

/// How often everything else may go on before nothing is expected to happen any more.
const QUIET: usize = 24;
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What another client sends, one request after the other.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Other {
    /// Asks whether a manifest is there, to upload only what is not.
    Look(&'static str),
    /// Writes the manifest of a name under a tag, with what the look has not found.
    Tag(&'static str, &'static str),
    /// Writes an index of these under a tag.
    Index(&'static str, &'static [&'static str]),
    /// Writes a record's intent: a referrer.
    Intent(&'static str),
    /// Writes the entry of a timeline about an image.
    Entry(&'static str, &'static str),
}

/// State of the other client.
#[derive(Default)]
struct OtherClient {
    /// Manifests that were there when it looked.
    found: Vec<&'static str>,
    /// Tags that it has written.
    written: Vec<(&'static str, String)>,
    /// Whether the registry refused a write: it ends then, and says so.
    is_refused: bool,
    /// The request of the deleting run that came next after each write.
    followed_by: Vec<(&'static str, String)>,
}

/// Content of all manifests, as the other client has it.
struct Contents(Vec<(&'static str, String, String, Vec<&'static str>)>);

impl Contents {
    fn of(stage: &PruneStage) -> Self {
        let names: [(&str, &[&str]); 3] = [("I", &["a"]), ("a", &[]), ("other", &[])];
        let content = names.map(|(name, children)| {
            let digest = &stage.names[name];
            let (media_type, bytes) = stage.registry.manifest(WEB, digest).unwrap();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            (name, media_type, text, children.to_vec())
        });
        Self(content.into())
    }

    fn get(&self, name: &str) -> &(&'static str, String, String, Vec<&'static str>) {
        self.0.iter().find(|(known, ..)| *known == name).unwrap()
    }
}

impl OtherClient {
    /// Sends a request. Where the registry is strict, it refuses a manifest without its children.
    fn send(
        &mut self,
        other: Other,
        stage: &PruneStage,
        contents: &Contents,
        is_strict: bool,
        next: &str,
    ) {
        let registry = &stage.registry;
        let is_there = |name: &str| registry.has_manifest(WEB, &stage.names[name]);
        if self.is_refused {
            return;
        }
        match other {
            Other::Look(name) => self.found.extend(is_there(name).then_some(name)),
            Other::Tag(tag, name) => {
                let (_, media_type, text, children) = contents.get(name);
                if !self.found.contains(&name) {
                    for child in children {
                        upload(registry, contents, child);
                    }
                }
                if is_strict && children.iter().any(|child| !is_there(child)) {
                    self.is_refused = true;
                    return;
                }
                registry.put_manifest(WEB, tag, media_type, text.clone());
                self.note(tag, stage.names[name].clone(), next);
            }
            Other::Index(tag, children) => {
                for child in children.iter().filter(|child| !self.found.contains(child)) {
                    upload(registry, contents, child);
                }
                if is_strict && children.iter().any(|child| !is_there(child)) {
                    self.is_refused = true;
                    return;
                }
                let listed = children.iter().map(|child| {
                    let (_, media_type, text, _) = contents.get(child);
                    json!({"mediaType": media_type, "digest": stage.names[*child], "size": text.len()})
                });
                let listed: Vec<_> = listed.collect();
                let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": listed});
                let digest = registry.put_manifest(
                    WEB,
                    tag,
                    "application/vnd.oci.image.index.v1+json",
                    index.to_string(),
                );
                self.note(tag, digest, next);
            }
            Other::Intent(name) => {
                let intent = artifact(Some(&stage.names[name]));
                let digest = crate::registry::digest(intent.as_bytes());
                registry.put_manifest(WEB, &digest, MANIFEST, intent);
            }
            Other::Entry(action, name) => {
                let root = &stage.names[name]["sha256:".len()..][..12];
                let tag = format!("shipmark.prod.20261201t000000000z.{action}.{root}.0123456789ab");
                registry.put_manifest(WEB, &tag, MANIFEST, artifact(None));
            }
        }
    }

    fn note(&mut self, tag: &'static str, digest: String, next: &str) {
        self.written.push((tag, digest));
        self.followed_by.push((tag, next.to_owned()));
    }
}

fn artifact(subject: Option<&str>) -> String {
    let empty = json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": crate::registry::digest(b"{}"), "size": 2});
    let mut manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/x",
        "config": empty, "layers": [empty],
    });
    if let Some(subject) = subject {
        manifest["subject"] = json!({"mediaType": MANIFEST, "digest": subject, "size": 1});
    }
    manifest.to_string()
}

fn upload(registry: &Registry, contents: &Contents, name: &str) {
    let (_, media_type, text, _) = contents.get(name);
    let digest = crate::registry::digest(text.as_bytes());
    registry.put_manifest(WEB, &digest, media_type, text.clone());
}

/// Orders of one scenario, and what became of them.
#[derive(Debug, Default)]
struct Orders {
    all: usize,
    /// Nothing that stays has a hole, and no tag is lost.
    whole: usize,
    /// The registry refused the other client's write, which says so.
    refused: usize,
    /// The check after the run found a hole or a lost tag.
    found: usize,
    /// A tag that nobody but its writer has seen went with its image: its write fell between the last list of tags and
    /// the DELETE.
    unseen: usize,
    /// The write came after the last reading of the check.
    late: usize,
}

struct RaceStage {
    stage: PruneStage,
    host: Registry,
    contents: Contents,
    file: PlanFile,
    before: crate::registry::Snapshot,
}

impl RaceStage {
    async fn set() -> Self {
        let mut stage = PruneStage::new(Profile::plain()).await;
        stage.image("a", 30);
        stage.index("I", &["a"]);
        stage.referrer("S(I)", "I");
        stage.tag("pr-1", "I");
        stage.image("other", 30);
        stage.tag("1.0.0", "other");
        stage.tag("latest", "other");
        let host = stage.registry.beside(Profile::plain()).await;
        let place = format!("{}/{WEB}", host.host());
        let request = request_for(&place, rules([tagged("pr-*", Some(14))]));
        let plan = shipmark::prune::plan_prune(&request, &context())
            .await
            .unwrap();
        Self {
            contents: Contents::of(&stage),
            file: to_file(&plan),
            before: stage.registry.snapshot(),
            host,
            stage,
        }
    }

    /// Runs with each of the other's requests sent before a certain wave of requests of the run. Returns the outcome,
    /// the other client, and the number of waves.
    async fn play(
        &self,
        gate: &Gate,
        script: &[Other],
        order: &[usize],
        is_strict: bool,
    ) -> (PruneOutcome, OtherClient, usize) {
        self.stage.registry.restore(&self.before);
        let mut other = OtherClient::default();
        let mut sent = 0;
        let request = request_for(
            &format!("{}/{WEB}", self.host.host()),
            rules([tagged("pr-*", Some(14))]),
        );
        let file = self.file.clone();
        let run = async move { shipmark::prune::apply_prune(&request, &file, &context()).await };
        let task = tokio::task::spawn_local(run);
        let mut wave = 0;
        loop {
            let held = quiet(gate, &task).await;
            let next = held.first().cloned().unwrap_or_default();
            while sent < script.len() && (order[sent] <= wave || held.is_empty()) {
                other.send(script[sent], &self.stage, &self.contents, is_strict, &next);
                sent += 1;
            }
            if held.is_empty() {
                break;
            }
            for request in held {
                gate.release(&request, None);
            }
            wave += 1;
        }
        let outcome = task.await.unwrap().unwrap();
        (outcome, other, wave)
    }

    /// Returns what became of an order.
    fn judge(&self, outcome: &PruneOutcome, other: &OtherClient, orders: &mut Orders, when: &str) {
        let repository = &outcome.repositories[0];
        // A record that is written meanwhile ends the run; what was deleted by then is checked all the same.
        let is_ended_by_record = |failure: &Failure| {
            format!("{failure:?}").contains("was written while this run deleted")
        };
        let failure = repository.failure.as_ref();
        assert!(
            failure.is_none_or(is_ended_by_record),
            "{when}: {failure:?}"
        );
        orders.all += 1;
        let holes = self.stage.registry.dangling();
        let tags = self.stage.registry.tags(WEB);
        let written = other.written.iter();
        let lost: Vec<_> = written
            .filter(|(tag, digest)| tags.get(*tag) != Some(digest))
            .collect();
        // What stood before and is not about the plan is there in any case.
        assert_eq!(
            tags.get("1.0.0"),
            Some(&self.stage.names["other"]),
            "{when}"
        );
        if holes.is_empty() && lost.is_empty() {
            match other.is_refused {
                true => orders.refused += 1,
                false => orders.whole += 1,
            }
            return;
        }
        let is_named = |tag: &str| {
            repository
                .holes
                .iter()
                .any(|hole| hole.named_by.contains(tag))
        };
        let missing = holes.iter().filter_map(|hole| hole.split(" lacks ").nth(1));
        let are_missing_named = missing.clone().all(|digest| {
            repository
                .holes
                .iter()
                .any(|hole| hole.missing.to_string() == digest)
        });
        if lost.iter().all(|(tag, _)| is_named(tag)) && are_missing_named {
            orders.found += 1;
            for hole in &repository.holes {
                let command = hole.restore_command(&repository.place, Some("oci:saved"));
                assert!(command.contains(&hole.missing.to_string()), "{command}");
            }
            return;
        }
        let next = |tag: &str| {
            other
                .followed_by
                .iter()
                .find(|(it, _)| *it == tag)
                .unwrap()
                .1
                .clone()
        };
        let tag = other.written[0].0;
        let next = next(tag);
        if next.starts_with("DELETE ") && !lost.is_empty() {
            orders.unseen += 1;
        } else if next.is_empty() || next.starts_with("HEAD ") {
            orders.late += 1;
        } else {
            panic!(
                "{when}: next is {next}\n{holes:?}\nlost {lost:?}\n{:#?}",
                repository.holes
            );
        }
    }
}

/// Waits until nothing more happens by itself. Returns the requests that wait.
async fn quiet<T>(gate: &Gate, task: &tokio::task::JoinHandle<T>) -> Vec<String> {
    let mut quiet = 0;
    let mut before = Vec::new();
    while quiet < QUIET {
        tokio::task::yield_now().await;
        let held = gate.held();
        let waits = task.is_finished() || !held.is_empty();
        quiet = if held == before && waits {
            quiet + 1
        } else {
            0
        };
        before = held;
    }
    before
}

/// Plays every order in which the other's requests come at two points of the run: its first ones at one, the others at
/// the second.
async fn every_order(script: &[Other], is_strict: bool) -> Orders {
    let race = RaceStage::set().await;
    let gate = race.host.gate();
    gate.hold_all();
    let local = LocalSet::new();
    local
        .run_until(async {
            let never = vec![usize::MAX; script.len()];
            let (_, _, waves) = race.play(&gate, script, &never, is_strict).await;
            let mut orders = Orders::default();
            for first in 0..waves {
                for second in first..waves {
                    for split in 1..=script.len() {
                        let is_repeated = split == script.len() && second > first;
                        if is_repeated || (first == second && split != script.len()) {
                            continue;
                        }
                        let order: Vec<usize> = (0..script.len())
                            .map(|at| if at < split { first } else { second })
                            .collect();
                        let (outcome, other, _) = race.play(&gate, script, &order, is_strict).await;
                        let when = format!("{script:?} at {order:?}, strict: {is_strict}");
                        race.judge(&outcome, &other, &mut orders, &when);
                    }
                }
            }
            assert!(waves > 12, "{waves} waves");
            orders
        })
        .await
}

/// Requires that most orders leave everything whole, and that only a few are of the second kind.
fn assert_rare(orders: &Orders, what: &str) {
    assert!(orders.all > 12, "{what}: {orders:?}");
    assert!(
        orders.whole + orders.refused > orders.all / 4,
        "{what}: {orders:?}"
    );
    // Before each of the DELETEs of a digest, once.
    assert!(orders.unseen <= 4 * orders.all / 12, "{what}: {orders:?}");
}

#[tokio::test]
async fn a_tag_of_an_image_that_goes_keeps_it_unless_it_comes_after_the_last_reading() {
    let orders = every_order(&[Other::Tag("1.4.0", "I")], true).await;
    assert_rare(&orders, "tag");
    assert!(orders.unseen > 0, "{orders:?}");
}

#[tokio::test]
async fn a_push_that_finds_what_goes_is_refused_or_found_by_the_check() {
    let script = [Other::Look("I"), Other::Tag("1.4.0", "I")];
    for is_strict in [true, false] {
        let orders = every_order(&script, is_strict).await;
        assert_rare(&orders, "push");
        assert!(is_strict || orders.found > 0, "{orders:?}");
    }
}

#[tokio::test]
async fn a_new_index_of_a_child_that_goes_keeps_it_or_is_found() {
    let script = [Other::Look("a"), Other::Index("2.0.0", &["a", "other"])];
    for is_strict in [true, false] {
        let orders = every_order(&script, is_strict).await;
        assert_rare(&orders, "index");
        assert!(is_strict || orders.found > 0, "{orders:?}");
    }
}

#[tokio::test]
async fn a_promotion_of_an_image_that_goes_keeps_it_or_is_found() {
    let script = [
        Other::Look("I"),
        Other::Intent("I"),
        Other::Tag("1.4.0", "I"),
        Other::Entry("promote", "I"),
    ];
    let orders = every_order(&script, true).await;
    assert_rare(&orders, "promotion");
}

#[tokio::test]
async fn a_rollback_to_an_image_that_goes_keeps_it_or_is_found() {
    let script = [Other::Tag("latest", "I"), Other::Entry("rollback", "I")];
    let orders = every_order(&script, true).await;
    assert!(orders.found > 0 && orders.all > 12, "{orders:?}");
    assert_eq!((orders.unseen, orders.late), (0, 0), "{orders:?}");
}
