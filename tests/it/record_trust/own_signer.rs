//! Whether a run may write records, before it signs.

use super::*;

#[tokio::test]
async fn a_run_that_may_not_record_is_refused_before_it_signs() {
    let (sigstore, keys) = (Sigstore::start().await, [keys::key(), keys::key()]);
    let now = time(PLANNED_AT);
    let release = || of_workflow(&sigstore, "release.yml");
    let keyless = Signer::Keyless(Arc::new(sigstore.signer(Rekor::V1)));
    let (by_key, keyless) = (own(&key_signer(&keys[0])).await, own(&keyless).await);
    let require = |own: &Requirement, signer: RecordSigner, action: RecordAction| {
        let refused = trust([signer]).require_own(own, &action, now);
        refused.err().map(|error| error.to_string())
    };
    let promote = RecordAction::Promote;
    let own_name = format!(
        "https://*/{} (issuer {})",
        sigstore::WORKFLOW,
        sigstore::ISSUER
    );
    for requirement in [release(), called_from(release(), "acme/web")] {
        let signer = any_action(requirement);
        assert_eq!(require(&keyless, signer, promote.clone()), None);
    }
    assert_eq!(
        require(&by_key, any_action(of_key(&keys[0])), promote.clone()),
        None
    );
    for (own, requirement) in [
        (&keyless, of_workflow(&sigstore, "deploy.yml")),
        (&keyless, called_from(release(), "acme/api")),
        (&keyless, of_key(&keys[0])),
        (&by_key, of_key(&keys[1])),
        (&by_key, release()),
    ] {
        let expected = format!("expected {requirement}");
        let refused = require(own, any_action(requirement), promote.clone()).unwrap();
        let is = match own.identity() {
            Some(_) => format!("this run signs as {own_name}, repository acme/web"),
            None => format!(
                "this run signs as the key {}",
                keys[0].public().fingerprint()
            ),
        };
        assert_eq!(refused, format!("{is}, {expected}"));
    }
    let marks = RecordSigner {
        actions: Some(vec![RecordAction::Deployed]),
        ..any_action(release())
    };
    assert_eq!(
        require(&keyless, marks.clone(), promote.clone()).unwrap(),
        "its signer may record deployed only, got promote"
    );
    assert_eq!(require(&keyless, marks, RecordAction::Deployed), None);
    let ended = RecordSigner {
        until: Some(now),
        ..any_action(release())
    };
    assert_eq!(
        require(&keyless, ended, promote).unwrap(),
        format!("its signer counts until {now}, got a signature of {now}")
    );
}
