//! Where signatures and attestations are looked for, of which images, and what that costs.

use serde_json::{Value, json};
use shipmark::image::Digest;
use shipmark::notices::Notices;
use shipmark::release::{
    Failure, ImageCheck, RequiredEvidence, Verification, VerifyRequest, verify,
};
use shipmark::signing::{
    ImageAttestation, Predicate, PredicateSource, PrivateKey, Requirement, Signer,
    VerificationError,
};
use shipmark::tagging::TagRules;

use crate::registry::{Profile, Registry, digest};
use crate::support::keys::{self, key};
use crate::support::process::{Place, Ran};
use crate::support::*;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
pub(super) const SBOM: &str = "https://cyclonedx.org/bom";

/// A registry with the example image under `web:it`, signed with a key.
pub(super) struct Signed {
    pub(super) registry: Registry,
    pub(super) key: PrivateKey,
}

impl Signed {
    async fn start(profile: Profile, recursive: bool) -> Self {
        let signed = Self {
            registry: Registry::start(profile).await,
            key: key(),
        };
        let mut request = push(&example(), &[&signed.place()], "refs/heads/main");
        request.rules = TagRules::parse(["it"]).unwrap();
        let mut signing = keys::signing(&signed.key);
        signing.recursive = recursive;
        request.signing = Some(signing);
        done(request, &context()).await;
        signed.registry.clear_log();
        signed
    }

    pub(super) fn place(&self) -> String {
        format!("{}/web", self.registry.host())
    }

    /// What is found beside the image, or with `recursive` beside all below it too.
    pub(super) async fn verify(&self, recursive: bool, wanted: &[&str]) -> Verification {
        let request = VerifyRequest {
            source: format!("{}:it", self.place()).parse().unwrap(),
            recursive,
        };
        let check = ImageCheck {
            requirement: Requirement::Key {
                key: self.key.public().clone(),
                log: None,
            },
            wanted: wanted.iter().map(|text| text.parse().unwrap()).collect(),
        };
        let check = async { Ok(check) };
        verify(&request, check, &context()).await.unwrap()
    }

    /// The platforms and digests of what the index lists.
    fn children(&self) -> Vec<(String, Digest)> {
        let (_, index) = self
            .registry
            .manifest("web", &example_root().to_string())
            .unwrap();
        let index: Value = serde_json::from_slice(&index).unwrap();
        let children = index["manifests"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        children
            .map(|child| {
                let platform = &child["platform"];
                let name = [text(&platform["os"]), text(&platform["architecture"])];
                (name.join("/"), text(&child["digest"]).parse().unwrap())
            })
            .collect()
    }

    /// A statement about an image, that the key signed.
    pub(super) async fn sbom_of(&self, image: Digest) -> String {
        let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []});
        let predicate =
            Predicate::parse(PredicateSource::Sbom, sbom.to_string().as_bytes()).unwrap();
        let attestation = ImageAttestation {
            repository: "example.com/web",
            image,
            predicate: &predicate,
        };
        let signer = Signer::Key(self.key.clone().into());
        let context = context();
        let notices = Notices::new(|_| ());
        let bundle = signer.attest_bundle(context.registry.http(), &notices, &attestation);
        String::from_utf8(bundle.await.unwrap()).unwrap()
    }

    /// The bundle that stands beside an image, in its one manifest.
    fn bundle_of(&self, image: Digest) -> String {
        let mut listed = self.registry.referrers("web", &image.to_string());
        listed.retain(|one| one["artifactType"] == BUNDLE);
        let (_, manifest) = self
            .registry
            .manifest("web", listed[0]["digest"].as_str().unwrap())
            .unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let layer = manifest["layers"][0]["digest"].as_str().unwrap();
        String::from_utf8(self.registry.blob("web", layer).unwrap().to_vec()).unwrap()
    }

    /// Puts a bundle in place, as a referrer where a subject is said. Gives the entry of a list.
    pub(super) fn attach(&self, subject: Option<Digest>, kind: &str, bundle: &str) -> Value {
        let blobs = ["{}", bundle].map(|blob| self.registry.put_blob("web", blob.to_owned()));
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": blobs[0], "size": 2},
            "layers": [{"mediaType": BUNDLE, "digest": blobs[1], "size": bundle.len()}],
            "annotations": {"dev.sigstore.bundle.predicateType": kind},
        });
        if let Some(subject) = subject {
            manifest["subject"] =
                json!({"mediaType": INDEX, "digest": subject.to_string(), "size": 1});
        }
        let bytes = manifest.to_string();
        let digest = digest(bytes.as_bytes());
        self.registry
            .put_manifest("web", &digest, MANIFEST, bytes.clone());
        json!({
            "mediaType": MANIFEST, "digest": digest, "size": bytes.len(), "artifactType": BUNDLE,
            "annotations": manifest["annotations"],
        })
    }

    /// Puts an index under the tag that lists what is about an image.
    fn list_under_tag(&self, image: Digest, entries: &[Value]) {
        let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
        let tag = image.to_string().replace(':', "-");
        self.registry
            .put_manifest("web", &tag, INDEX, list.to_string());
    }
}

/// The requests since the log was cleared, as they came, with what they say of digests left out.
fn requests(registry: &Registry) -> Vec<String> {
    let mut lines: Vec<String> = registry
        .log()
        .iter()
        .map(|exchange| {
            let path = exchange.path_and_query.replace("/v2/web/", "");
            let path = path.replace(&example_root().to_hex(), "IMAGE");
            let (kind, rest) = path.split_once('/').unwrap();
            let object = match rest.starts_with("sha256:") && !rest.ends_with("IMAGE") {
                true => "DIGEST",
                false => rest,
            };
            let status = exchange.status.unwrap_or_default();
            format!("{} {kind}/{object} {status}", exchange.method)
        })
        .collect();
    lines.sort();
    lines
}

/// Its digest is asked for first, where it is not given; then all places at once, then what is there.
#[tokio::test]
async fn what_verifying_asks_of_a_registry() {
    let with = Signed::start(Profile::plain(), false).await;
    let found = with.verify(false, &["signature"]).await;
    assert_eq!(found.signatures.len(), 2);
    insta::assert_snapshot!(requests(&with.registry).join("\n"), @r"
    GET blobs/DIGEST 200
    GET blobs/DIGEST 200
    GET manifests/DIGEST 200
    GET manifests/sha256-IMAGE 404
    GET manifests/sha256-IMAGE.sig 200
    GET referrers/sha256:IMAGE 200
    HEAD manifests/it 200
    ");
    let without = Signed::start(Profile::distribution(), false).await;
    let found = without.verify(false, &["signature", SBOM]).await;
    assert_eq!(found.signatures.len(), 2);
    insta::assert_snapshot!(requests(&without.registry).join("\n"), @r"
    GET blobs/DIGEST 200
    GET blobs/DIGEST 200
    GET manifests/DIGEST 200
    GET manifests/sha256-IMAGE 200
    GET manifests/sha256-IMAGE.att 404
    GET manifests/sha256-IMAGE.sig 200
    GET referrers/sha256:IMAGE 404
    HEAD manifests/it 200
    ");
}

/// What is named by its digest is not asked for, unless nothing is found beside it.
#[tokio::test]
async fn an_image_that_is_named_by_its_digest_is_not_looked_up() {
    let signed = Signed::start(Profile::plain(), false).await;
    let verify = async |digest: Digest| {
        let request = VerifyRequest {
            source: format!("{}@{digest}", signed.place()).parse().unwrap(),
            recursive: false,
        };
        let check = async { Ok(keys::signed_by(signed.key.public())) };
        verify(&request, check, &context()).await
    };
    assert!(verify(example_root()).await.unwrap().passed());
    assert_eq!(signed.registry.count_of("HEAD"), 0);
    let unsigned = verify(signed.children()[0].1).await.unwrap();
    assert!(!unsigned.passed());
    let failure = verify(Digest::from_bytes(b"no such image"))
        .await
        .unwrap_err();
    let told = failure.diagnostic().unwrap().to_string();
    assert!(told.contains("not"), "{told}");
    assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
}

/// A registry that has a list of its own by now, and what was listed under the tag before.
#[tokio::test]
async fn all_lists_are_looked_at_and_what_is_in_both_is_one() {
    let signed = Signed::start(Profile::plain(), false).await;
    let root = example_root();
    let good = signed.bundle_of(root);
    let own = signed.registry.referrers("web", &root.to_string());
    assert_eq!(own.len(), 1);
    let under_tag = signed.attach(None, SIGNATURE, &good);
    let gone = json!({
        "mediaType": MANIFEST, "digest": Digest::from_bytes(b"gone").to_string(), "size": 1,
        "artifactType": BUNDLE,
    });
    signed.list_under_tag(root, &[own[0].clone(), under_tag.clone(), gone]);
    let found = signed.verify(false, &["signature"]).await;
    let told: Vec<_> = found
        .signatures
        .iter()
        .map(|one| one.result.clone().err())
        .collect();
    let gone = VerificationError::Malformed("it is listed, but missing".to_owned());
    // The bundles, and the layer under the legacy tag.
    assert_eq!(told, [None, None, Some(gone), None]);
    assert!(found.passed());
    // With nothing else there, what is under the tag does.
    signed
        .registry
        .remove_manifest("web", own[0]["digest"].as_str().unwrap());
    let tag = format!("{}.sig", root.to_string().replace(':', "-"));
    let (_, sig) = signed.registry.manifest("web", &tag).unwrap();
    signed.registry.remove_manifest("web", &digest(&sig));
    signed.list_under_tag(root, &[under_tag]);
    let found = signed.verify(false, &["signature"]).await;
    assert_eq!(found.signatures.len(), 1);
    assert!(found.passed());
}

#[tokio::test]
async fn each_image_below_an_index_is_checked() {
    for profile in [Profile::plain(), Profile::distribution()] {
        let signed = Signed::start(profile, true).await;
        let found = signed.verify(true, &["signature"]).await;
        assert!(found.passed());
        let platforms: Vec<_> = found
            .images
            .iter()
            .map(|image| image.platform.as_ref().map(ToString::to_string))
            .collect();
        let [amd64, arm64] = ["linux/amd64", "linux/arm64"].map(|name| Some(name.to_owned()));
        assert_eq!(platforms, [None, amd64, arm64, None, None]);
        // Both forms of each.
        for image in &found.images {
            let own = found.signatures.iter().filter(|one| one.of == image.digest);
            assert_eq!(own.filter(|one| one.result.is_ok()).count(), 2);
        }
    }
}

#[tokio::test]
async fn an_image_below_without_a_signature_is_named() {
    let signed = Signed::start(Profile::plain(), false).await;
    let found = signed.verify(true, &["signature"]).await;
    assert!(!found.passed());
    let missing: Vec<_> = found
        .missing
        .iter()
        .map(|missing| missing.of.digest)
        .collect();
    let below: Vec<_> = signed
        .children()
        .into_iter()
        .map(|(_, digest)| digest)
        .collect();
    assert_eq!(missing, below);
    let refusal = found.to_refusal().unwrap();
    let told = refusal.diagnostic().unwrap();
    assert!(
        told.what
            .starts_with(&format!("linux/amd64 {} of ", below[0])),
        "{told}"
    );
    assert_eq!(told.why.as_deref(), Some("the image has no signature"));
    // Nobody asked for them.
    assert!(signed.verify(false, &["signature"]).await.passed());
}

/// What is good of one image says nothing of another, wherever it stands.
#[tokio::test]
async fn a_signature_of_an_image_below_is_none_of_the_index() {
    let signed = Signed::start(Profile::plain(), true).await;
    let root = example_root();
    let (_, child) = signed.children().remove(0);
    let bundle = signed.bundle_of(child);
    for one in signed.registry.referrers("web", &root.to_string()) {
        signed
            .registry
            .remove_manifest("web", one["digest"].as_str().unwrap());
    }
    // The one under the legacy tag too: the child's takes its place.
    let tag = |of: Digest| format!("{}.sig", of.to_string().replace(':', "-"));
    let (kind, sig) = signed.registry.manifest("web", &tag(child)).unwrap();
    signed.registry.put_manifest("web", &tag(root), &kind, sig);
    signed.attach(Some(root), SIGNATURE, &bundle);
    let found = signed.verify(false, &["signature"]).await;
    let told: Vec<_> = found
        .signatures
        .iter()
        .map(|one| one.result.clone().err())
        .collect();
    let other = Some(VerificationError::OtherImage(child));
    assert_eq!(told, [other.clone(), other]);
    assert!(!found.passed());
}

#[tokio::test]
async fn attestations_beside_each_platform_are_found() {
    let signed = Signed::start(Profile::plain(), true).await;
    let children = signed.children();
    let platforms: Vec<_> = children
        .iter()
        .filter(|(platform, _)| platform.starts_with("linux/"))
        .collect();
    let (_, first) = platforms[0];
    signed.attach(Some(*first), SBOM, &signed.sbom_of(*first).await);
    // Not beside the index.
    assert!(!signed.verify(false, &[SBOM]).await.passed());
    // One has it, and the other lacks it.
    let found = signed.verify(true, &["signature", SBOM]).await;
    let missing: Vec<_> = found
        .missing
        .iter()
        .map(|missing| missing.of.digest)
        .collect();
    assert_eq!(missing, [platforms[1].1]);
    assert!(matches!(
        &found.missing[0].wanted,
        RequiredEvidence::Attestation(_)
    ));
    let (_, second) = platforms[1];
    signed.attach(Some(*second), SBOM, &signed.sbom_of(*second).await);
    let found = signed.verify(true, &["signature", SBOM]).await;
    assert!(found.passed(), "{:?}", found.missing);
    let of: Vec<_> = found.attestations.iter().map(|one| one.of).collect();
    assert_eq!(of, [*first, *second]);
    // One of the index is of all below it.
    let signed = Signed::start(Profile::plain(), true).await;
    let root = example_root();
    signed.attach(Some(root), SBOM, &signed.sbom_of(root).await);
    assert!(signed.verify(true, &[SBOM]).await.passed());
    // None anywhere: the index lacks it.
    let signed = Signed::start(Profile::plain(), true).await;
    let found = signed.verify(true, &[SBOM]).await;
    let missing: Vec<_> = found
        .missing
        .iter()
        .map(|missing| missing.of.digest)
        .collect();
    assert_eq!(missing, [root]);
}

/// As a user sees it: each image by its platform.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_of_each_image_is_told_with_its_platform() {
    let signed = Signed::start(Profile::plain(), true).await;
    let place = Place::new();
    std::fs::write(place.path("key.pub"), signed.key.public().to_pem()).unwrap();
    let source = format!("{}:it", signed.place());
    let inputs = [
        ("command", "verify"),
        ("source", source.as_str()),
        ("key", "key.pub"),
        ("recursive", "true"),
    ];
    let verify = || {
        let mut command = place.step("refs/heads/main", &inputs);
        Ran::of(command.output().unwrap())
    };
    let ran = verify();
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let (platform, arm64) = signed.children().remove(1);
    assert!(
        ran.log.contains(&format!("\n{platform} {arm64}\n"))
            || ran.out.contains(&format!("\n{platform} {arm64}\n")),
        "{}{}",
        ran.out,
        ran.log
    );
    let summary = place.read("summary");
    assert!(summary.contains("| Image | Kind | Format |"), "{summary}");
    assert_eq!(summary.matches("| `linux/arm64` |").count(), 2, "{summary}");
    let outputs = place.outputs();
    let (_, json) = outputs.iter().find(|(name, _)| name == "json").unwrap();
    let json: Value = serde_json::from_str(json).unwrap();
    let of = json["signatures"].as_array().unwrap();
    let of = of.iter().filter(|one| one["platform"] == "linux/arm64");
    assert!(of.clone().all(|one| one["of"] == arm64.to_string()));
    assert_eq!(of.count(), 2);
    // One that is not signed any more.
    let mut listed = signed.registry.referrers("web", &arm64.to_string());
    listed.retain(|one| one["artifactType"] == BUNDLE);
    for one in listed {
        signed
            .registry
            .remove_manifest("web", one["digest"].as_str().unwrap());
    }
    let tag = format!("{}.sig", arm64.to_string().replace(':', "-"));
    let (_, sig) = signed.registry.manifest("web", &tag).unwrap();
    signed.registry.remove_manifest("web", &digest(&sig));
    let ran = verify();
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    let told = format!("linux/arm64 {arm64} of {source} has no valid signature");
    assert!(
        ran.log.contains(&told) || ran.out.contains(&told),
        "{}{}",
        ran.out,
        ran.log
    );
    let summary = place.read("summary");
    assert!(
        summary.contains("- `linux/arm64`: no valid signature\n"),
        "{summary}"
    );
}
