//! How many requests a promotion takes with its record, against the same without: the timeline of the environment
//! before is read, and a chain of two records is carried.

use shipmark::release::{ReleaseRequest, SignatureFormat};
use shipmark::signing::PrivateKey;

use super::kinds;
use crate::registry::{Profile, Registry};
use crate::support::made_image::MadeImage;
use crate::support::records::*;
use crate::support::*;

/// A registry where 1.3.0 is in prod, and 1.4.0 in stage, to which it came from dev.
async fn stage(profile: Profile, key: Option<&PrivateKey>) -> Registry {
    let registry = Registry::start(profile.date("unknown")).await;
    for (number, version) in [(1, "1.3.0"), (2, "1.4.0")] {
        let revision = format!("{number:07x}{}", "0".repeat(33));
        let labels = [("revision", revision.as_str()), ("version", version)];
        MadeImage::new(number, &labels).put(&registry, "build", &[version]);
        let now = i64::from(number) * 10;
        let request = promotion(&registry, version, ["build", "dev"], None, now);
        done(request, &context()).await;
        let request = promotion(&registry, version, ["dev", "stage"], key, now + 1);
        done(request, &context()).await;
    }
    let request = promotion(&registry, "1.3.0", ["stage", "prod"], key, 13);
    done(request, &context()).await;
    registry.clear_log();
    registry
}

fn promotion(
    registry: &Registry,
    version: &str,
    [from, to]: [&str; 2],
    key: Option<&PrivateKey>,
    now: i64,
) -> ReleaseRequest {
    let [source, place] = [from, to].map(|name| format!("{}/{name}", registry.host()));
    let request = promote(&format!("{source}:{version}"), &[&place], "refs/heads/main");
    let run = u64::try_from(now).unwrap();
    let mut request = recorded(request, to, now, run);
    request.signing = key.map(|key| {
        let mut signing = keys::signing(key);
        signing.formats = vec![SignatureFormat::Bundle];
        signing
    });
    if from != "build" {
        let options = request.record.as_mut().unwrap();
        options.source = Some(location(from, &source));
    }
    request
}

/// The requests of the promotion to prod that a record adds, by kind, and their number.
async fn added(profile: Profile, key: Option<&PrivateKey>) -> (usize, String) {
    let with = stage(profile.clone(), key).await;
    done(
        promotion(&with, "1.4.0", ["stage", "prod"], key, 30),
        &context(),
    )
    .await;
    let entries = entries(&with, "prod");
    let (_, manifest) = with.manifest("prod", &entries[1]).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let carried = manifest["layers"].as_array().unwrap().len() - 1;
    assert_eq!(carried, 2);
    let without = stage(profile, key).await;
    let mut request = promotion(&without, "1.4.0", ["stage", "prod"], key, 30);
    request.record = None;
    done(request, &context()).await;
    let both = format!("without:\n{}with:\n{}", kinds(&without), kinds(&with));
    (with.count() - without.count(), both)
}

#[tokio::test]
async fn a_recorded_promotion_with_the_referrers_api() {
    let key = keys::key();
    for (key, expected) in [(None, 13), (Some(&key), 11)] {
        let (count, kinds) = added(Profile::plain(), key).await;
        assert_eq!(count, expected, "signed {}\n{kinds}", key.is_some());
    }
}

#[tokio::test]
async fn a_recorded_promotion_without_the_referrers_api() {
    let key = keys::key();
    for (key, expected) in [(None, 16), (Some(&key), 13)] {
        let (count, kinds) = added(Profile::plain().referrers(false), key).await;
        assert_eq!(count, expected, "signed {}\n{kinds}", key.is_some());
    }
}
