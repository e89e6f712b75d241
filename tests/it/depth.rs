//! How many requests follow one on another, exactly: a change that adds a round trip shows here. Each
//! request takes one tick of a clock that stands still while anything else is under way, so what waits
//! for no other takes no time. Connections and logins are not counted.

use std::time::Duration;

use shipmark::image::TagOrDigest;
use shipmark::referrers::ReferrerSelection;
use shipmark::registry::RepositoryAccess;
use shipmark::release::{ReleaseRequest, SignatureFormat};
use shipmark::tagging::TagRules;
use tokio::time::Instant;

use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::recorded_chain::{
    attested_chain, promoted_image, promotion_to_prod, recorded_chain,
};
use crate::support::*;

/// A round trip.
const TICK: Duration = Duration::from_millis(10);

/// A registry that takes a tick for each request, as distribution answers: with lists under tags.
async fn slow() -> Registry {
    slow_as(Profile::distribution()).await
}

/// A registry that takes a tick for each request.
async fn slow_as(profile: Profile) -> Registry {
    let registry = Registry::start(profile).await;
    registry.fault(Fault::on("*", "/v2/", Effect::Delay(TICK)).always());
    registry
}

/// The example image in one registry, and another to release it to.
async fn stage() -> (Registry, Registry) {
    let (from, to) = (slow().await, slow().await);
    put_example(&from, "dev/web", "it");
    (from, to)
}

fn release(from: &Registry, to: &Registry, tags: &[&str]) -> ReleaseRequest {
    let source = format!("{}/dev/web:it", from.host());
    let place = format!("{}/prod/web", to.host());
    let mut request = promote(&source, &[&place], "refs/heads/main");
    request.rules = TagRules::parse(tags.iter().copied()).unwrap();
    request.referrers = ReferrerSelection::None;
    request
}

/// How many requests of a release follow one on another.
async fn depth(request: ReleaseRequest, registries: &[&Registry]) -> u128 {
    let (context, _) = context_with(logged_in_to(registries));
    // The first request to a registry finds out how to log in, while the others wait.
    for registry in registries {
        let elsewhere = format!("{}/elsewhere", registry.host()).parse().unwrap();
        let remote = context
            .registry
            .open_repository(&elsewhere, RepositoryAccess::Pull, &[]);
        let target = TagOrDigest::Tag("any".parse().unwrap());
        assert_eq!(remote.head_manifest(&target).await.unwrap(), None);
    }
    let begin = Instant::now();
    done(request, &context).await;
    begin.elapsed().as_millis() / TICK.as_millis()
}

/// The source with its tag; the root; children with the list of tags; blobs, twice; children; the tag.
#[tokio::test(start_paused = true)]
async fn a_cold_copy() {
    let (from, to) = stage().await;
    assert_eq!(depth(release(&from, &to, &["one"]), &[&from, &to]).await, 7);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_is_right_and_a_new_one() {
    let (from, to) = stage().await;
    put_example(&to, "prod/web", "one");
    assert_eq!(depth(release(&from, &to, &["one"]), &[&from, &to]).await, 1);
    assert_eq!(depth(release(&from, &to, &["two"]), &[&from, &to]).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_new_tag_in_the_same_repository() {
    let registry = slow().await;
    put_example(&registry, "dev/web", "it");
    let place = format!("{}/dev/web", registry.host());
    let mut request = promote(&format!("{place}:it"), &[&place], "refs/heads/main");
    request.rules = TagRules::parse(["one"]).unwrap();
    assert_eq!(depth(request, &[&registry]).await, 2);
}

/// As a cold copy, with the root by itself, then what is about it, then the lists, and these read once
/// more after the tag.
#[tokio::test(start_paused = true)]
async fn a_cold_copy_with_what_stands_beside() {
    let (from, to) = stage().await;
    let root = example_root().to_string();
    attach::signed(&from, "dev/web", &root, "a signature");
    attach::signed_by_tag(&from, "dev/web", &root);
    let mut request = release(&from, &to, &["one"]);
    request.referrers = ReferrerSelection::Known;
    assert_eq!(depth(request, &[&from, &to]).await, 11);
}

/// As that, with an immutable tag, which is written and read back before the others: the lists are read
/// once more at the same time. After the version lines were written, the tags are listed twice, and the
/// lines are read.
#[tokio::test(start_paused = true)]
async fn a_signed_promotion() {
    let (from, to) = stage().await;
    let mut request = release(&from, &to, &["v1.2.3", "v1.2", "v1", "stable"]);
    let mut signing = keys::signing(&keys::key());
    signing.formats = vec![SignatureFormat::Bundle];
    request.signing = Some(signing);
    assert_eq!(depth(request, &[&from, &to]).await, 14);
}

/// How many requests of a promotion follow one on another, with its record and without. The image is new at the
/// destination, or has been released there before.
async fn recorded_depth(profile: &Profile, is_new: bool) -> (u128, u128) {
    let depth_of = async |is_recorded: bool| {
        let registries = [
            slow_as(profile.clone().date("unknown")).await,
            slow_as(profile.clone().date("unknown")).await,
        ];
        let [from, to] = &registries;
        put_example(from, "dev/web", "it");
        if is_new {
            put_example(to, "prod/web", "other");
        }
        let tags = ["v1.2.3", "v1.2", "v1", "stable"];
        if !is_new {
            let first = release(from, to, &["v1.2.2", "v1.2", "v1", "stable"]);
            done(records::recorded(first, "prod", 0, 1), &context()).await;
        }
        let mut request = records::recorded(release(from, to, &tags), "prod", 1, 2);
        if !is_recorded {
            request.record = None;
        }
        depth(request, &[from, to]).await
    };
    (depth_of(true).await, depth_of(false).await)
}

#[tokio::test(start_paused = true)]
async fn a_recorded_promotion() {
    let profiles = [Profile::plain(), Profile::distribution()];
    let mut counts = Vec::new();
    for profile in &profiles {
        counts.push(recorded_depth(profile, false).await);
    }
    assert_eq!(counts, [(11, 8), (13, 8)], "with its record and without");
    counts.clear();
    for profile in &profiles {
        counts.push(recorded_depth(profile, true).await);
    }
    assert_eq!(counts, [(12, 9), (14, 9)], "with its record and without");
}

/// The timelines of both environments are read, and a chain of two records is carried.
#[tokio::test(start_paused = true)]
async fn a_recorded_promotion_with_what_it_rests_on() {
    let mut counts = Vec::new();
    for profile in [Profile::plain(), Profile::plain().referrers(false)] {
        let depth_of = async |is_recorded: bool| {
            let registry = recorded_chain(profile.clone(), None).await;
            registry.fault(Fault::on("*", "/v2/", Effect::Delay(TICK)).always());
            let mut request = promotion_to_prod(&registry, None);
            if !is_recorded {
                request.record = None;
            }
            depth(request, &[&registry]).await
        };
        counts.push((depth_of(true).await, depth_of(false).await));
    }
    assert_eq!(counts, [(15, 14), (16, 14)], "with its record and without");
}

/// All gates against none, and a verification summary against none: what is read for the gates is read while the
/// destinations are observed, and a summary is written while the tags are read again. Where a tag lists the referrers, the
/// summary is added to it after all else.
#[tokio::test(start_paused = true)]
async fn a_gated_promotion_with_a_summary() {
    let key = keys::key();
    let mut counts = Vec::new();
    for profile in [Profile::plain(), Profile::plain().referrers(false)] {
        let depth_of = async |has_gates: bool, has_summary: bool| {
            let attested = [gated::provenance()];
            let registry = attested_chain(profile.clone(), Some(&key), &attested).await;
            registry.fault(Fault::on("*", "/v2/", Effect::Delay(TICK)).always());
            let mut request = promotion_to_prod(&registry, Some(&key));
            if has_gates {
                let reports = vec![gated::report(&promoted_image(), "web")];
                request.gates = Some(gated::all_gates(&key, 30, reports));
            }
            if has_summary {
                request = gated::with_summary(request);
            }
            depth(request, &[&registry]).await
        };
        counts.push((
            depth_of(false, false).await,
            depth_of(true, false).await,
            depth_of(false, true).await,
            depth_of(true, true).await,
        ));
    }
    assert_eq!(
        counts,
        [(15, 15, 15, 15), (16, 16, 17, 17)],
        "without, with gates, with a summary, with both"
    );
}

/// The list; the newest entry; the tag of the environment; the withdrawn image, its referrers, its other tags and
/// the image before with its entry; what is below that image; two for the blobs; the intent; the tags; the entry;
/// the list again.
#[tokio::test(start_paused = true)]
async fn a_rollback_of_a_tag_and_two_lines() {
    use crate::support::recorded_stage::Stage;

    let stage = Stage::with(Profile::plain()).await;
    for (now, version) in [(0, "1.3.0"), (1, "1.3.1")] {
        let mut request = stage.promotion(version, now);
        request.rules = TagRules::parse([version, "v1.3", "v1", "prod"]).unwrap();
        done(request, &context()).await;
    }
    stage
        .registry
        .fault(Fault::on("*", "/v2/", Effect::Delay(TICK)).always());
    let context = context();
    let place = format!("{}/elsewhere", stage.registry.host())
        .parse()
        .unwrap();
    let remote = context
        .registry
        .open_repository(&place, RepositoryAccess::Pull, &[]);
    let target = TagOrDigest::Tag("any".parse().unwrap());
    assert_eq!(remote.head_manifest(&target).await.unwrap(), None);
    let begin = Instant::now();
    shipmark::release::rollback(&stage.request(5, 1), &context)
        .await
        .unwrap();
    let ticks = begin.elapsed().as_millis() / TICK.as_millis();
    assert_eq!(ticks, 11);
}
