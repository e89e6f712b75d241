//! Runs that die, and their repetitions: the record says why the run that completes it may release, and a summary says
//! that the image was released.

use futures_util::{StreamExt, stream};
use shipmark::record::RecordedPolicy;
use shipmark::release::ReleaseRequest;
use shipmark::signing::PrivateKey;

use super::summaries::{passed, summaries};
use super::*;
use crate::crash::run_and_die;
use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::gated::{all_gates, policy, provenance, report, window, with_summary};
use crate::support::recorded_chain::{attested_chain, promoted_image, promotion_to_prod};
use crate::support::{context, done, failed};

/// Runs at a time.
const AT_ONCE: usize = 8;

/// A registry with an image in stage that passes all gates of prod.
async fn chain(profile: Profile, key: &PrivateKey) -> Registry {
    attested_chain(profile, Some(key), &[provenance()]).await
}

/// The promotion to prod through all gates, with a summary; `attempt` of one run.
fn promotion(registry: &Registry, key: &PrivateKey, attempt: u64) -> ReleaseRequest {
    let mut request = with_summary(promotion_to_prod(registry, Some(key)));
    let reports = vec![report(&promoted_image(), "web")];
    request.gates = Some(all_gates(key, 30, reports));
    let run = request.record.as_mut().unwrap().account.run.as_mut();
    run.unwrap().attempt = Some(attempt);
    request
}

/// What a newest record of prod says.
fn newest(registry: &Registry) -> ReleasePredicate {
    let entry = entries(registry, "prod").pop().unwrap();
    any_record(registry, "prod", &entry).predicate
}

/// The tags of prod, without those of referrers, whose signatures are others each time.
fn tags(registry: &Registry) -> Vec<(String, Option<String>)> {
    let tags = registry.tags("prod").into_iter();
    let tags = tags.filter(|(tag, _)| !tag.starts_with("sha256-"));
    let is_entry = |tag: &str| tag.starts_with("shipmark.");
    tags.map(|(tag, digest)| match is_entry(&tag) {
        // The end of its name is the digest of a signed record.
        true => (tag[..tag.rfind('.').unwrap()].to_owned(), None),
        false => (tag, Some(digest)),
    })
    .collect()
}

async fn dies_at_every_request(profile: Profile, effect: impl Fn() -> Effect) {
    let key = &keys::key();
    let undisturbed = chain(profile.clone(), key).await;
    done(promotion(&undisturbed, key, 1), &context()).await;
    let (expected, requests) = (&tags(&undisturbed), undisturbed.count());
    let deaths = stream::iter(1..=requests).map(|at| (at, effect()));
    deaths
        .for_each_concurrent(AT_ONCE, |(at, effect)| {
            let profile = profile.clone();
            async move {
                let registry = chain(profile, key).await;
                registry.fault(Fault::at(at, effect));
                run_and_die(&promotion(&registry, key, 1), &registry, at).await;
                let released = entries(&registry, "prod").len() - 1;
                let found = summaries(&registry, "prod").len();
                assert!(found <= released, "request {at}: {found} of {released}");
                registry.clear_faults();
                registry.resume();
                done(promotion(&registry, key, 2), &context()).await;
                assert_eq!(tags(&registry), *expected, "request {at}");
                assert_eq!(summaries(&registry, "prod"), [passed()], "request {at}");
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_no_summary_passes_what_a_killed_run_did_not_release() {
    dies_at_every_request(Profile::plain(), || Effect::StopForGood).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_no_summary_in_a_list_passes_what_a_killed_run_did_not_release() {
    let profile = Profile::plain().referrers(false);
    dies_at_every_request(profile, || Effect::StopForGoodAfter).await;
}

/// An attempt that wrote its tags and not its entry.
async fn dies_before_its_entry(registry: &Registry, request: ReleaseRequest) {
    let refused = Effect::status(403);
    registry.fault(Fault::on("PUT", "/manifests/shipmark.prod", refused).always());
    failed(request, &context()).await;
    registry.clear_faults();
    assert_eq!(entries(registry, "prod").len(), 1);
    assert!(registry.tags("prod").contains_key("1.4.0"));
    assert!(summaries(registry, "prod").is_empty());
}

fn other_policy() -> RecordedPolicy {
    policy("two")
}

#[tokio::test]
async fn promise_6_a_repetition_with_other_grounds_gets_a_record_of_its_own() {
    let key = keys::key();
    type Change<'a> = &'a dyn Fn(&mut ReleaseRequest);
    let changes: [(&str, Change<'_>); 4] = [
        ("nothing", &|_| {}),
        ("policy", &|request| {
            let account = &mut request.record.as_mut().unwrap().account;
            account.policy = Some(other_policy());
        }),
        ("report", &|request| {
            let reports = vec![report(&promoted_image(), "scanned again")];
            request.gates = Some(all_gates(&key, 30, reports));
        }),
        ("freeze", &|request| {
            let gates = request.gates.as_mut().unwrap();
            gates.freeze = vec![window("2026-11-20T00:00", "2026-11-21T00:00")];
            gates.freeze_override = Some("logins fail".to_owned());
        }),
    ];
    for (name, change) in changes {
        let registry = chain(Profile::plain(), &key).await;
        dies_before_its_entry(&registry, promotion(&registry, &key, 1)).await;
        let mut again = promotion(&registry, &key, 2);
        again.record.as_mut().unwrap().account.now = crate::support::records::minute(35);
        change(&mut again);
        let expected = again.record.as_ref().unwrap().account.policy.clone();
        done(again, &context()).await;
        let record = newest(&registry);
        assert_eq!(record.policy, expected, "{name}");
        let attempt = record.run.as_ref().unwrap().attempt;
        assert_eq!(
            attempt,
            Some(if name == "nothing" { 1 } else { 2 }),
            "{name}"
        );
        let reason = (name == "freeze").then(|| "freeze overridden: logins fail".to_owned());
        assert_eq!(record.reason, reason, "{name}");
        let scanned = match name {
            "report" => report(&promoted_image(), "scanned again"),
            _ => report(&promoted_image(), "web"),
        };
        let of_report = |it: &&shipmark::record::RecordedEvidence| it.kind == "scan";
        let evidence: Vec<_> = record.evidence.iter().filter(of_report).collect();
        assert_eq!(evidence.len(), 1, "{name}");
        assert_eq!(evidence[0].digest, scanned.file.digest, "{name}");
        // What the tags named before the first attempt.
        assert!(
            record
                .tags
                .iter()
                .all(|tag| tag.name != "1.4.0" || tag.previous.is_none()),
            "{name}"
        );
        assert_eq!(entries(&registry, "prod").len(), 2, "{name}");
        assert_eq!(summaries(&registry, "prod"), [passed()], "{name}");
    }
}

#[tokio::test]
async fn promise_3_a_repetition_with_other_grounds_does_not_go_back_behind_a_newer_release() {
    let key = keys::key();
    let registry = chain(Profile::plain(), &key).await;
    dies_before_its_entry(&registry, promotion(&registry, &key, 1)).await;
    let stage = format!("{}/stage", registry.host());
    let mut newer = promotion(&registry, &key, 1);
    newer.source = format!("{stage}:1.3.0").parse().unwrap();
    newer.gates = None;
    newer.rules =
        shipmark::tagging::TagRules::parse(["type=raw,value=again,immutable=true", "prod"])
            .unwrap();
    let account = &mut newer.record.as_mut().unwrap().account;
    *account = shipmark::release::RunAccount {
        policy: account.policy.clone(),
        ..crate::support::records::account(32, 32)
    };
    newer.existing = shipmark::release::ExistingTagPolicy::Keep;
    done(newer, &context()).await;
    assert_eq!(entries(&registry, "prod").len(), 2);
    let before = registry.tags("prod");
    let mut again = promotion(&registry, &key, 2);
    again.record.as_mut().unwrap().account.policy = Some(other_policy());
    let (_, text) = failed(again, &context()).await;
    assert!(text.contains("this run began to release"), "{text}");
    assert_eq!(registry.tags("prod"), before);
}

#[tokio::test]
async fn promise_6_an_overridden_freeze_is_recorded_though_nothing_else_changes() {
    let key = keys::key();
    let registry = chain(Profile::plain(), &key).await;
    done(promotion(&registry, &key, 1), &context()).await;
    let overriding = |run: u64, attempt: u64, tags: &[&str]| {
        let mut request = promotion(&registry, &key, attempt);
        let account = &mut request.record.as_mut().unwrap().account;
        account.now = crate::support::records::minute(40);
        let own = account.run.as_mut().unwrap();
        own.uri = Some(format!("https://github.com/acme/web/actions/runs/{run}"));
        let gates = request.gates.as_mut().unwrap();
        gates.freeze = vec![window("2026-11-20T00:00", "2026-11-21T00:00")];
        gates.freeze_override = Some("logins fail".to_owned());
        if !tags.is_empty() {
            request.rules = shipmark::tagging::TagRules::parse(tags.iter().copied()).unwrap();
        }
        request
    };
    let reason = Some("freeze overridden: logins fail".to_owned());
    let writes = [
        (41, 1, &[][..], 3),
        (41, 2, &[], 3),
        (42, 1, &["1.4.0", "moving"], 4),
    ];
    for (run, attempt, rules, records) in writes {
        done(overriding(run, attempt, rules), &context()).await;
        assert_eq!(
            entries(&registry, "prod").len(),
            records,
            "run {run}, {attempt}"
        );
        assert_eq!(newest(&registry).reason, reason, "run {run}, {attempt}");
        // Each record has its summary.
        let summaries = summaries(&registry, "prod");
        assert_eq!(summaries.len(), records - 1, "run {run}, {attempt}");
    }
}
