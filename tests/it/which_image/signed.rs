//! Where images come from an environment that signs, the root needs a record there that counts.

use shipmark::signing::PrivateKey;

use super::*;
use crate::support::keys;
use crate::support::records::stored_record;

const SIGNED: &str = "\
environments:
  dev: {repository: HOST/dev, tags: 'type=raw,value=latest', sign: key, signers: [{key: dev.pub}]}
  hotfix: {repository: HOST/hotfix, tags: 'type=raw,value=latest', sign: key, signers: [{key: dev.pub}]}
  stage: {repository: HOST/stage, from: [dev, hotfix]}
";
const DISPATCH: Trigger<'static> = ("workflow_dispatch", "refs/heads/main", COMMIT);

/// A stage whose `dev` signs with a key.
async fn start() -> Stage {
    let pem = keys::pem();
    let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
    let stage = Stage::with(SIGNED, &[("dev.pub", &public)]).await;
    std::fs::write(stage.place.path("dev.key"), pem).unwrap();
    stage
}

impl Stage {
    /// Builds an image and pushes it, signed by this key.
    fn build_signed(&self, environment: &str, number: u32) -> String {
        let image = MadeImage::new(number, &[("revision", COMMIT)]);
        self.push(environment, COMMIT, &image, &[("signing-key", "dev.key")]);
        image.digest()
    }

    /// A run of a verb that writes a record in `dev`.
    fn record(&self, verb: &str, more: &[(&str, &str)]) {
        let inputs = [
            ("command", verb),
            ("environment", "dev"),
            ("reason", "x"),
            ("signing-key", "dev.key"),
        ];
        let ran = self.run(DISPATCH, &[&inputs[..], more].concat());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    }

    /// The refusals of an image that is found by its commit, by its digest, and as approved.
    fn refusals(&self, digest: &str) -> [String; 3] {
        [
            self.refused(DISPATCH, "stage", &[]),
            self.refused(DISPATCH, "stage", &[("source", digest)]),
            self.refused(DISPATCH, "stage", &[("sources", digest)]),
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_an_image_without_a_record_is_not_promoted_from_an_environment_that_signs() {
    let stage = start().await;
    let image = MadeImage::new(1, &[("revision", COMMIT)]);
    image.put(&stage.registry, "dev", &["sha-9f3c2a1"]);
    for refusal in stage.refusals(&image.digest()) {
        let what = format!("{} has no release record in dev", image.digest());
        assert!(refusal.contains(&what), "{refusal}");
        assert!(refusal.contains("shipmark adopt"), "{refusal}");
    }
    stage.build_signed("dev", 1);
    stage.promoted(DISPATCH, "stage", &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_withdrawn_image_is_not_promoted() {
    let stage = start().await;
    stage.build_signed("dev", 1);
    let image = MadeImage::new(2, &[("revision", OTHER)]);
    stage.push("dev", OTHER, &image, &[("signing-key", "dev.key")]);
    stage.record("rollback", &[]);
    let trigger = ("workflow_dispatch", "refs/heads/main", OTHER);
    for source in [&[][..], &[("source", image.digest().as_str())]] {
        let refusal = stage.refused(trigger, "stage", source);
        let what = format!(
            "{} is withdrawn from dev, where it comes from",
            image.digest()
        );
        assert!(refusal.contains(&what), "{refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_an_image_that_is_marked_as_failed_is_not_promoted() {
    let stage = start().await;
    let digest = stage.build_signed("dev", 1);
    stage.record("mark", &[("state", "failed")]);
    for refusal in stage.refusals(&digest) {
        let what = format!("{digest} is marked as failed in dev, where it comes from");
        assert!(refusal.contains(&what), "{refusal}");
    }
    stage.record("mark", &[("state", "deployed")]);
    stage.promoted(DISPATCH, "stage", &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_the_record_of_a_signer_that_is_not_listed_does_not_count() {
    let stage = start().await;
    let digest = stage.build_signed("dev", 1);
    // The same policy with another key.
    let other = PrivateKey::parse(&keys::pem(), "")
        .unwrap()
        .public()
        .to_pem();
    let policy = SIGNED.replace("HOST", &stage.registry.host());
    let place = Place::new();
    let files = [
        (".github/shipmark.yml", policy.as_str()),
        ("dev.pub", &other),
    ];
    let stage = Stage {
        policy_commit: commit(place.root(), &files),
        registry: stage.registry,
        place,
    };
    let refusal = stage.refused(DISPATCH, "stage", &[("source", &digest)]);
    let what = format!("no record of the release of {digest} to dev counts:");
    assert!(refusal.contains(&what), "{refusal}");
    assert!(
        refusal.contains("by a workflow that signers of dev names"),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_the_record_of_another_environment_does_not_count() {
    let stage = start().await;
    let digest = stage.build_signed("hotfix", 1);
    // Somebody copies the image to the repository of dev, and the entry under a name of dev.
    let image = MadeImage::new(1, &[("revision", COMMIT)]);
    image.put(&stage.registry, "dev", &["sha-9f3c2a1"]);
    for entry in entries(&stage.registry, "hotfix") {
        let (kind, bytes) = stage.registry.manifest("hotfix", &entry).unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let record = stored_record(&stage.registry, "hotfix", &entry);
        stage.registry.put_blob("dev", record);
        let name = entry.replace("shipmark.hotfix.", "shipmark.dev.");
        let text = text.replace("shipmark.hotfix.", "shipmark.dev.");
        stage.registry.put_manifest("dev", &name, &kind, text);
    }
    assert_eq!(entries(&stage.registry, "dev").len(), 1);
    let source = format!("{}/dev@{digest}", stage.registry.host());
    let refusal = stage.refused(DISPATCH, "stage", &[("source", &source)]);
    let what = format!("no record of the release of {digest} to dev counts:");
    assert!(refusal.contains(&what), "{refusal}");
    // Its own record counts.
    stage.promoted(DISPATCH, "stage", &[]);
    assert_eq!(stage.source_of("stage").as_deref(), Some("hotfix"));
}
