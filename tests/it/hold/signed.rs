//! Holds in an environment that signs.

use shipmark::record::RecordAction;
use shipmark::release::{RecordSigner, RecordTrust, SignatureFormat, TimelineLocation};
use shipmark::signing::{PrivateKey, Requirement, Signer};

use super::*;
use crate::support::*;

/// An environment with a key that may not place or lift holds, and one that may do nothing else.
struct SignedStage {
    stage: Stage,
    release: PrivateKey,
    legal: PrivateKey,
    trust: RecordTrust,
}

fn signer(key: &PrivateKey, actions: &[RecordAction]) -> RecordSigner {
    RecordSigner {
        requirement: Requirement::Key {
            key: key.public().clone(),
            log: None,
        },
        actions: Some(actions.to_vec()),
        until: None,
    }
}

impl SignedStage {
    async fn start() -> Self {
        let (release, legal) = (keys::key(), keys::key());
        let trust = RecordTrust::new(vec![
            signer(&release, &[RecordAction::Promote]),
            signer(&legal, &[RecordAction::Hold, RecordAction::Unhold]),
        ]);
        let stage = Stage::start().await;
        let mut request = stage.promotion("1.3.0", 0);
        let mut signing = keys::signing(&release);
        signing.formats = vec![SignatureFormat::Bundle];
        request.signing = Some(signing);
        request.record.as_mut().unwrap().trust = Some(trust.clone());
        done(request, &context()).await;
        Self {
            stage,
            release,
            legal,
            trust,
        }
    }

    fn signed(&self, mut request: HoldRequest, key: Option<&PrivateKey>) -> HoldRequest {
        let timeline = request.timeline.as_mut().unwrap();
        timeline.location.trust = Some(self.trust.clone());
        timeline.signer = key.map(|key| Signer::Key(key.clone().into()));
        request
    }

    fn hold(&self, now: i64, key: Option<&PrivateKey>) -> HoldRequest {
        self.signed(hold_request(&self.stage, "1.3.0", now), key)
    }

    fn lift(&self, now: i64, key: Option<&PrivateKey>) -> HoldRequest {
        self.signed(lift_request(&self.stage, now), key)
    }

    fn location(&self) -> TimelineLocation {
        self.hold(1, None).timeline.unwrap().location
    }
}

#[tokio::test]
async fn promise_6_holds_are_signed_and_only_their_signers_place_and_lift_them() {
    let signed = SignedStage::start().await;
    for key in [None, Some(&signed.release)] {
        signed.stage.registry.clear_log();
        refused(signed.hold(5, key)).await;
        assert_eq!(writes(&signed.stage.registry), 0, "not even the tag");
    }
    changed(signed.hold(6, Some(&signed.legal))).await;
    signed.stage.registry.clear_log();
    for key in [None, Some(&signed.release)] {
        refused(signed.lift(7, key)).await;
    }
    assert_eq!(writes(&signed.stage.registry), 0);
    changed(signed.lift(8, Some(&signed.legal))).await;
    assert_eq!(hold_records_signed(&signed.stage).len(), 2);
}

#[tokio::test]
async fn promise_6_a_signed_hold_without_its_tag_still_counts() {
    let signed = SignedStage::start().await;
    let first = changed(signed.hold(5, Some(&signed.legal))).await;
    let mut tags = signed.stage.registry.tags("prod");
    tags.remove(HOLD_TAG).unwrap();
    signed.stage.registry.set_tags("prod", tags);
    // Whoever may push can write a record that says that the hold is lifted. It is not signed.
    let mut forged = lift_request(&signed.stage, 6);
    forged.timeline.as_mut().unwrap().location = TimelineLocation {
        trust: None,
        ..signed.location()
    };
    changed(forged).await;
    signed.stage.registry.clear_log();
    let again = changed(signed.hold(7, Some(&signed.legal))).await;
    assert_eq!(
        again.record_id(),
        first.record_id(),
        "the hold is in effect"
    );
    assert!(again.record.is_none());
    assert_eq!(
        tag_of_hold(&signed.stage),
        Some(signed.stage.digest("1.3.0"))
    );
}

/// Returns the names of the entries about holds.
fn hold_records_signed(stage: &Stage) -> Vec<String> {
    let mut names = entries(&stage.registry, "prod");
    names.retain(|name| name.contains("hold."));
    names
}
