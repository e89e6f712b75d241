//! How many requests a promotion takes with its record, against the same without: the timeline of the environment
//! before is read, and a chain of two records is carried.

use shipmark::signing::PrivateKey;

use super::kinds;
use crate::registry::Profile;
use crate::support::recorded_chain::{promotion_to_prod, recorded_chain};
use crate::support::records::entries;
use crate::support::*;

/// The requests of the promotion to prod that a record adds, by kind, and their number.
async fn added(profile: Profile, key: Option<&PrivateKey>) -> (usize, String) {
    let with = recorded_chain(profile.clone(), key).await;
    done(promotion_to_prod(&with, key), &context()).await;
    let entries = entries(&with, "prod");
    let (_, manifest) = with.manifest("prod", &entries[1]).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let carried = manifest["layers"].as_array().unwrap().len() - 1;
    assert_eq!(carried, 2);
    let without = recorded_chain(profile, key).await;
    let mut request = promotion_to_prod(&without, key);
    request.record = None;
    done(request, &context()).await;
    let both = format!("without:\n{}with:\n{}", kinds(&without), kinds(&with));
    (with.count() - without.count(), both)
}

#[tokio::test]
async fn a_recorded_promotion_with_the_referrers_api() {
    let key = keys::key();
    for (key, expected) in [(None, 11), (Some(&key), 8)] {
        let (count, kinds) = added(Profile::plain(), key).await;
        assert_eq!(count, expected, "signed {}\n{kinds}", key.is_some());
    }
}

#[tokio::test]
async fn a_recorded_promotion_without_the_referrers_api() {
    let key = keys::key();
    for (key, expected) in [(None, 14), (Some(&key), 9)] {
        let (count, kinds) = added(Profile::plain().referrers(false), key).await;
        assert_eq!(count, expected, "signed {}\n{kinds}", key.is_some());
    }
}
