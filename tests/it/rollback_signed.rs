//! Rollbacks and marks of an environment that signs.

use shipmark::notices::Notices;
use shipmark::record::{
    EntryName, RecordAction, RecordBlob, RecordId, ReleaseMark, ReleasePredicate, ReleaseRecord,
    build_entry_manifest,
};
use shipmark::release::{
    Failure, MarkRequest, RecordSigner, RecordTrust, RollbackRequest, SignatureFormat, mark,
    rollback,
};
use shipmark::signing::{PrivateKey, Requirement, Signer, StatementBundle};

use crate::support::recorded_stage::*;
use crate::support::records::*;
use crate::support::*;

/// An environment with a key for everything and a key that may only mark.
struct SignedStage {
    stage: Stage,
    release: PrivateKey,
    deploy: PrivateKey,
    trust: RecordTrust,
}

fn signer(key: &PrivateKey, actions: Option<Vec<RecordAction>>) -> RecordSigner {
    RecordSigner {
        requirement: Requirement::Key {
            key: key.public().clone(),
            log: None,
        },
        actions,
        until: None,
    }
}

impl SignedStage {
    async fn released(versions: &[&str]) -> Self {
        let (release, deploy) = (keys::key(), keys::key());
        let marks = vec![RecordAction::Deployed, RecordAction::Failed];
        let trust = RecordTrust::new(vec![signer(&release, None), signer(&deploy, Some(marks))]);
        let stage = Stage::start().await;
        for (now, version) in versions.iter().enumerate() {
            let mut request = stage.promotion(version, i64::try_from(now).unwrap());
            let mut signing = keys::signing(&release);
            signing.formats = vec![SignatureFormat::Bundle];
            request.signing = Some(signing);
            request.record.as_mut().unwrap().trust = Some(trust.clone());
            done(request, &context()).await;
        }
        Self {
            stage,
            release,
            deploy,
            trust,
        }
    }

    fn rollback(&self, now: i64, key: Option<&PrivateKey>) -> RollbackRequest {
        let mut request = self.stage.request(now, 1_000 + u64::try_from(now).unwrap());
        request.timeline.location.trust = Some(self.trust.clone());
        request.timeline.signer = key.map(|key| Signer::Key(key.clone().into()));
        request
    }

    async fn refused(&self, request: RollbackRequest) -> String {
        self.stage.refused(request).await
    }
}

#[tokio::test]
async fn promise_6_a_rollback_is_signed_and_counts() {
    let signed = SignedStage::released(&["1.3.0", "1.3.1", "1.3.2"]).await;
    rolled_back(signed.rollback(5, Some(&signed.release))).await;
    assert_eq!(signed.stage.tag("prod"), "1.3.1");
    let outcome = rolled_back(signed.rollback(6, Some(&signed.release))).await;
    assert_eq!(
        outcome.withdrawn.version.as_deref(),
        Some("1.3.1"),
        "the first one counts"
    );
    assert_eq!(signed.stage.tag("1.3"), "1.3.0");
}

#[tokio::test]
async fn promise_6_who_may_not_record_a_rollback_is_refused_before_any_write() {
    let signed = SignedStage::released(&["1.3.0", "1.3.1"]).await;
    let unsigned = signed.refused(signed.rollback(5, None)).await;
    assert!(unsigned.contains("takes signed records only"), "{unsigned}");
    for key in [&keys::key(), &signed.deploy] {
        let refusal = signed.refused(signed.rollback(5, Some(key))).await;
        assert!(
            refusal.contains("does not accept the record of this run"),
            "{refusal}"
        );
    }
    let mut request = MarkRequest {
        timeline: signed.rollback(5, Some(&signed.deploy)).timeline,
        state: ReleaseMark::Failed,
        release: None,
    };
    mark(&request, &context()).await.unwrap();
    request.timeline.signer = Some(Signer::Key(keys::key().into()));
    request.state = ReleaseMark::Deployed;
    let failure = mark(&request, &context()).await.unwrap_err();
    assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
}

#[tokio::test]
async fn promise_6_a_forged_rollback_withdraws_nothing() {
    let signed = SignedStage::released(&["1.3.0", "1.3.1"]).await;
    // Whoever may push writes a rollback that nobody signed.
    let forged = signed.stage.request(3, 9);
    rollback(&forged, &context()).await.unwrap();
    assert_eq!(entries(&signed.stage.registry, "prod").len(), 3);
    assert_eq!(signed.stage.tag("prod"), "1.3.0", "and moves the tags");
    let outcome = rolled_back(signed.rollback(6, Some(&signed.release))).await;
    assert_eq!(
        outcome.withdrawn.version.as_deref(),
        Some("1.3.1"),
        "it is still current"
    );
}

#[tokio::test]
async fn promise_6_a_target_without_its_signature_is_refused() {
    let signed = SignedStage::released(&["1.3.0", "1.3.1"]).await;
    let digest = signed.stage.digest("1.3.0");
    let registry = &signed.stage.registry;
    for referrer in registry.referrers("prod", &digest) {
        registry.remove_manifest("prod", referrer["digest"].as_str().unwrap());
    }
    let refusal = signed
        .refused(signed.rollback(5, Some(&signed.release)))
        .await;
    assert!(refusal.contains("has no valid signature of"), "{refusal}");
}

/// A signer that may only mark, and one whose time has ended, sign no image of the environment.
#[tokio::test]
async fn promise_6_a_signature_of_a_target_is_of_who_may_release() {
    let signed = SignedStage::released(&["1.3.0", "1.3.1"]).await;
    let digest = signed.stage.digest("1.3.0");
    let registry = &signed.stage.registry;
    let of_image = |referrer: &serde_json::Value| {
        let kind = &referrer["annotations"]["dev.sigstore.bundle.predicateType"];
        kind == "https://sigstore.dev/cosign/sign/v1"
    };
    let signatures = registry.referrers("prod", &digest);
    for signature in signatures.iter().filter(|it| of_image(it)) {
        registry.remove_manifest("prod", signature["digest"].as_str().unwrap());
    }
    let source = format!("{}@{digest}", signed.stage.place());
    let mut request = promote(&source, &[&signed.stage.place()], "refs/heads/main");
    request.rules = shipmark::tagging::TagRules::parse(["signed"]).unwrap();
    let mut signing = keys::signing(&signed.deploy);
    signing.formats = vec![SignatureFormat::Bundle];
    request.signing = Some(signing);
    done(request, &context()).await;
    let refusal = signed
        .refused(signed.rollback(5, Some(&signed.release)))
        .await;
    assert!(refusal.contains("has no valid signature of"), "{refusal}");
    assert!(refusal.contains("who may record releases"), "{refusal}");
}

#[tokio::test]
async fn promise_6_a_signer_whose_time_has_ended_counts_for_what_was_released_before() {
    let signed = SignedStage::released(&["1.3.0", "1.3.1"]).await;
    let new = keys::key();
    let old = RecordSigner {
        until: Some(minute(3)),
        ..signer(&signed.release, None)
    };
    let mut request = signed.rollback(5, Some(&new));
    request.timeline.location.trust = Some(RecordTrust::new(vec![old, signer(&new, None)]));
    let outcome = rolled_back(request).await;
    assert_eq!(version(&outcome.restored), "1.3.0");
}

#[tokio::test]
async fn promise_6_a_repair_moves_the_environment_to_no_unsigned_image() {
    let signed = SignedStage::released(&["1.3.0", "1.3.1"]).await;
    rolled_back(signed.rollback(5, Some(&signed.release))).await;
    let stage = &signed.stage;
    stage.set_tag("prod", &stage.digest("1.3.1"));
    let digest = stage.digest("1.3.0");
    for referrer in stage.registry.referrers("prod", &digest) {
        let referrer = referrer["digest"].as_str().unwrap();
        stage.registry.remove_manifest("prod", referrer);
    }
    let refusal = signed
        .refused(signed.rollback(6, Some(&signed.release)))
        .await;
    assert!(refusal.contains("has no valid signature of"), "{refusal}");
    assert_eq!(stage.tag("prod"), "1.3.1");
}

#[tokio::test]
async fn promise_6_who_may_only_mark_names_no_tag_of_the_environment() {
    let signed = SignedStage::released(&["1.3.0", "1.3.1"]).await;
    let root = signed.stage.digest("1.3.1").parse().unwrap();
    let place = signed.stage.place();
    let json = serde_json::json!({
        "environment": "prod", "destination": place, "action": "deployed", "tool": "test",
        "plannedAt": minute(4).to_string(),
        "tags": [{"name": "1.3.1", "kind": "environment"}],
    });
    let predicate: ReleasePredicate = serde_json::from_value(json).unwrap();
    let statement = ReleaseRecord { root, predicate }.to_statement();
    let (context, notices) = (context(), Notices::new(|_| ()));
    let signer = Signer::Key(signed.deploy.clone().into());
    let signing = signer.sign_record(context.registry.http(), &notices, statement);
    let blob = RecordBlob {
        media_type: "application/vnd.dev.sigstore.bundle.v0.3+json".to_owned(),
        content: signing.await.unwrap().into(),
    };
    let name = EntryName::new(
        "prod".parse().unwrap(),
        minute(4),
        RecordAction::Deployed,
        root,
        RecordId::from_blob(&blob.content),
    );
    let manifest = build_entry_manifest(&blob, &[]);
    let (kind, bytes) = (manifest.media_type.as_str(), manifest.bytes.clone());
    let registry = &signed.stage.registry;
    registry.put_manifest("prod", &name.to_string(), kind, bytes);
    rolled_back(signed.rollback(5, Some(&signed.release))).await;
    assert_eq!(signed.stage.tag("1.3.1"), "1.3.1", "an immutable tag");
    assert_eq!(signed.stage.tag("prod"), "1.3.0");
    let newest = entries(registry, "prod").pop().unwrap();
    let bundle = StatementBundle::parse(&stored_record(registry, "prod", &newest)).unwrap();
    let record = ReleaseRecord::parse_statement(bundle.payload()).unwrap();
    let past = record.predicate.past;
    assert_eq!(past[0].action, RecordAction::Deployed, "the mark counts");
}
