//! Signers that may record some actions only, or until a time.

use super::*;

#[tokio::test]
async fn promise_6_a_signer_records_its_actions_only() {
    let [deploys, releases] = [keys::key(), keys::key()];
    let marks = vec![RecordAction::Deployed, RecordAction::Failed];
    let trust = trust([
        RecordSigner {
            actions: Some(marks),
            ..any_action(of_key(&deploys))
        },
        RecordSigner {
            actions: Some(vec![RecordAction::Promote]),
            ..any_action(of_key(&releases))
        },
    ]);
    let mark = sign(&key_signer(&deploys), statement("failed")).await;
    let mark = trust.verify(&mark).unwrap();
    // Whoever may only mark says nothing of the releases before.
    assert!(mark.vouches_for(&RecordAction::Deployed));
    assert!(!mark.vouches_for(&RecordAction::Promote));
    let promotion = sign(&key_signer(&releases), statement("promote")).await;
    let promotion = trust.verify(&promotion).unwrap();
    assert!(promotion.vouches_for(&RecordAction::Promote));
    assert!(!promotion.vouches_for(&RecordAction::Failed));
    for (key, action, expected) in [
        (
            &deploys,
            "promote",
            "its signer may record deployed and failed only, got promote",
        ),
        (
            &deploys,
            "pruned",
            "its signer may record deployed and failed only, got pruned",
        ),
        (
            &deploys,
            "unhold",
            "its signer may record deployed and failed only, got unhold",
        ),
        (
            &releases,
            "rollback",
            "its signer may record promote only, got rollback",
        ),
    ] {
        let blob = sign(&key_signer(key), statement(action)).await;
        assert_eq!(rejection(trust.verify(&blob)), expected);
    }
}

#[tokio::test]
async fn promise_6_a_signer_counts_until_its_time_ends() {
    let (sigstore, key) = (Sigstore::start().await, keys::key());
    let until = |requirement: Requirement, until: &str| {
        let signer = RecordSigner {
            until: Some(time(until)),
            ..any_action(requirement)
        };
        trust([signer])
    };
    const BEFORE: &str = "2026-11-20T21:48:08.124Z";
    const LATER: &str = "9999-01-01T00:00:00.000Z";
    // What a key signs is as old as it claims.
    let blob = sign(&key_signer(&key), statement("promote")).await;
    assert!(until(of_key(&key), BEFORE).verify(&blob).is_ok());
    let ended = until(of_key(&key), PLANNED_AT).verify(&blob);
    assert_eq!(
        rejection(ended),
        format!("its signer counts until {PLANNED_AT}, got a signature of {PLANNED_AT}")
    );
    // Where something proves when it was signed, the claim does not count: the record claims to be older.
    for signer in [
        Signer::Keyless(Arc::new(sigstore.signer(Rekor::V1))),
        Signer::Keyless(Arc::new(sigstore.signer(Rekor::V2))),
        Signer::LoggedKey(Arc::new(sigstore.logged(key.clone(), Rekor::V1))),
        Signer::LoggedKey(Arc::new(sigstore.logged(key.clone(), Rekor::V2))),
    ] {
        let mut old = statement("promote");
        old["predicate"]["plannedAt"] = json!("2020-01-01T00:00:00.000Z");
        let blob = sign(&signer, old).await;
        let requirement = own(&signer).await;
        assert!(until(requirement.clone(), LATER).verify(&blob).is_ok());
        let until_2021 = until(requirement, "2021-01-01T00:00:00.000Z");
        let error = until_2021.verify(&blob).unwrap_err();
        let RecordRejection::Until { at: Some(at), .. } = error else {
            panic!("{signer:?}: {error}");
        };
        assert!(at > time("2021-01-01T00:00:00.000Z"), "{signer:?}");
    }
}
