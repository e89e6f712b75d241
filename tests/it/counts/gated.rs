//! How many requests a promotion takes with all gates, and with a verification summary, against the same without.

use shipmark::signing::PrivateKey;

use super::kinds;
use crate::registry::Profile;
use crate::support::gated::{all_gates, provenance, report, with_summary};
use crate::support::recorded_chain::{attested_chain, promoted_image, promotion_to_prod};
use crate::support::*;

/// What a promotion has in addition.
#[derive(Clone, Copy)]
struct More {
    has_gates: bool,
    has_summary: bool,
}

const PLAIN: More = More {
    has_gates: false,
    has_summary: false,
};
const GATES: More = More {
    has_gates: true,
    has_summary: false,
};
const SUMMARY: More = More {
    has_gates: false,
    has_summary: true,
};

/// The requests of the promotion to prod, and of its repetition: their number and kinds.
async fn count(profile: &Profile, key: &PrivateKey, more: More) -> [(usize, String); 2] {
    let registry = attested_chain(profile.clone(), Some(key), &[provenance()]).await;
    let mut requests = Vec::new();
    for _ in 0..2 {
        let mut request = promotion_to_prod(&registry, Some(key));
        if more.has_gates {
            let reports = vec![report(&promoted_image(), "web")];
            request.gates = Some(all_gates(key, 30, reports));
        }
        if more.has_summary {
            request = with_summary(request);
        }
        registry.clear_log();
        done(request, &context()).await;
        requests.push((registry.count(), kinds(&registry)));
    }
    requests.try_into().unwrap()
}

/// How many requests `more` adds to the promotion, and to its repetition.
async fn added(profile: Profile, more: More) -> ([usize; 2], String) {
    let key = keys::key();
    let with = count(&profile, &key, more).await;
    let without = count(&profile, &key, PLAIN).await;
    let added = [0, 1].map(|at: usize| with[at].0 - without[at].0);
    let kinds = [0, 1].map(|at: usize| format!("without:\n{}with:\n{}", without[at].1, with[at].1));
    (added, kinds.join("repeated\n"))
}

/// A signature and an attestation are considered, which takes two requests each: five are the gates' own.
#[tokio::test]
async fn every_gate() {
    let (counts, kinds) = added(Profile::plain(), GATES).await;
    assert_eq!(counts, [9, 9], "{kinds}");
}

#[tokio::test]
async fn every_gate_without_the_referrers_api() {
    let (counts, kinds) = added(Profile::plain().referrers(false), GATES).await;
    assert_eq!(counts, [9, 9], "{kinds}");
}

#[tokio::test]
async fn a_summary() {
    let (counts, kinds) = added(Profile::plain(), SUMMARY).await;
    assert_eq!(counts, [3, 2], "{kinds}");
}

/// The summary is added to the list by itself, after the entry.
#[tokio::test]
async fn a_summary_without_the_referrers_api() {
    let (counts, kinds) = added(Profile::plain().referrers(false), SUMMARY).await;
    assert_eq!(counts, [6, 2], "{kinds}");
}
