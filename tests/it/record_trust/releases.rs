//! Releases to environments that sign: the record is signed by who may write it, or nothing is written.

use shipmark::release::{Failure, ReleaseRequest, SignatureFormat, SigningOptions, run};
use shipmark::signing::{Predicate, PredicateSource};

use super::*;
use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::made_image::MadeImage;
use crate::support::records::{entries, recorded, stored_record};
use crate::support::{done, failed, promote};

const BUNDLE: &[SignatureFormat] = &[SignatureFormat::Bundle];
const LEGACY: &[SignatureFormat] = &[SignatureFormat::Legacy];
const BOTH: &[SignatureFormat] = &[SignatureFormat::Bundle, SignatureFormat::Legacy];

/// A registry with an image in `stage`.
async fn start() -> (Registry, MadeImage) {
    // The clock of these tests counts, and not that of this machine.
    let registry = Registry::start(Profile::plain().date("unknown")).await;
    let revision = format!("{:07x}{}", 1, "0".repeat(33));
    let image = MadeImage::new(1, &[("revision", &revision), ("version", "1.4.0")]);
    image.put(&registry, "stage", &["v1.4.0", "1.4.0"]);
    (registry, image)
}

/// The promotion of the image to `prod`, signed in these formats.
fn promotion(
    registry: &Registry,
    trust: &RecordTrust,
    signing: Option<(Signer, &[SignatureFormat])>,
) -> ReleaseRequest {
    let [source, place] = ["stage:1.4.0", "prod"].map(|name| format!("{}/{name}", registry.host()));
    let request = promote(&source, &[&place], "refs/heads/main");
    let mut request = recorded(request, "prod", 0, 1);
    request.signing = signing.map(|(signer, formats)| SigningOptions {
        signer,
        formats: formats.to_vec(),
        ..keys::signing(&keys::key())
    });
    if let Some(record) = &mut request.record {
        record.trust = Some(trust.clone());
    }
    request
}

/// What fails, of a promotion that writes nothing.
async fn refused(registry: &Registry, request: ReleaseRequest) -> Failure {
    registry.clear_log();
    let failure = run(&request, &context()).await.unwrap_err();
    let lines = registry.requests();
    let mut writes = lines
        .iter()
        .filter(|line| !line.starts_with("GET ") && !line.starts_with("HEAD "));
    assert_eq!(writes.next(), None, "{failure:?}");
    failure
}

/// The artifact types of what refers to the image.
fn referrer_types(registry: &Registry, image: &MadeImage) -> Vec<String> {
    let listed = registry.referrers("prod", &image.digest());
    let types = listed
        .iter()
        .map(|one| one["artifactType"].as_str().unwrap().to_owned());
    let mut types: Vec<_> = types.collect();
    types.sort();
    types
}

/// Returns the media type of the record in a timeline entry.
fn entry_layer_type(registry: &Registry, entry: &str) -> String {
    let (_, bytes) = registry.manifest("prod", entry).unwrap();
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    manifest["layers"][0]["mediaType"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_record_names_the_tools_of_the_documents_that_the_run_attests() {
    let (registry, _) = start().await;
    let key = keys::key();
    let trust = trust([any_action(of_key(&key))]);
    let mut request = promotion(&registry, &trust, Some((key_signer(&key), BUNDLE)));
    let sbom = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"tools":{"components":[{"name":"syft","version":"1.2.0"}]}}}"#;
    let sbom = Predicate::parse(PredicateSource::Sbom, sbom.as_bytes()).unwrap();
    request.signing.as_mut().unwrap().attestations = vec![sbom];
    done(request, &context()).await;
    let stored = stored_record(&registry, "prod", &entries(&registry, "prod")[0]);
    let record = trust.verify(&stored).unwrap().record;
    let tools = record.predicate.evidence.iter();
    let tools: Vec<_> = tools.map(|one| one.tool.as_deref()).collect();
    assert_eq!(tools, [Some("syft 1.2.0")]);
}

#[tokio::test]
async fn a_run_that_died_completes_a_record_that_is_no_bundle_for_cosign() {
    let (registry, image) = start().await;
    let key = keys::key();
    let trust = trust([any_action(of_key(&key))]);
    let signing = || Some((key_signer(&key), LEGACY));
    let entry_fails = Fault::on("PUT", "manifests/shipmark.", Effect::status(500));
    registry.fault(entry_fails.always());
    failed(promotion(&registry, &trust, signing()), &context()).await;
    registry.clear_faults();
    assert_eq!(referrer_types(&registry, &image).len(), 1);
    done(promotion(&registry, &trust, signing()), &context()).await;
    assert_eq!(referrer_types(&registry, &image).len(), 1);
    let entries = entries(&registry, "prod");
    assert_eq!(entries.len(), 1);
    let bundle_type = "application/vnd.dev.sigstore.bundle.v0.3+json";
    assert_eq!(entry_layer_type(&registry, &entries[0]), bundle_type);
    let again = done(promotion(&registry, &trust, signing()), &context()).await;
    assert!(!again.has_changes());
}

#[tokio::test]
async fn promise_6_a_release_to_a_signed_environment_writes_a_record_that_counts() {
    const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
    const RECORD_TYPE: &str = "application/vnd.shipmark.release.v0.1";
    const RECORD_BUNDLE_TYPE: &str = "application/vnd.shipmark.release.bundle.v0.1+json";
    for (formats, expected, layer_type) in [
        (BUNDLE, vec![BUNDLE_TYPE, BUNDLE_TYPE], BUNDLE_TYPE),
        (BOTH, vec![BUNDLE_TYPE, BUNDLE_TYPE], BUNDLE_TYPE),
        // A bundle would hide the legacy signature from cosign, which tells one by the type of its layer.
        (LEGACY, vec![RECORD_TYPE], RECORD_BUNDLE_TYPE),
    ] {
        let (registry, image) = start().await;
        let key = keys::key();
        let trust = trust([any_action(of_key(&key))]);
        let signing = Some((key_signer(&key), formats));
        done(promotion(&registry, &trust, signing), &context()).await;
        assert_eq!(referrer_types(&registry, &image), expected);
        let entries = entries(&registry, "prod");
        let [entry] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        let read = trust
            .verify(&stored_record(&registry, "prod", entry))
            .unwrap();
        assert_eq!(read.record.root.to_string(), image.digest());
        // Where the referrer has another type, its blob is the same bundle.
        let blob = format!("sha256:{}", read.id.digest().to_hex());
        let listed = registry.referrers("prod", &image.digest());
        let manifests = listed.iter().map(|one| {
            let (_, bytes) = registry
                .manifest("prod", one["digest"].as_str().unwrap())
                .unwrap();
            serde_json::from_slice::<Value>(&bytes).unwrap()
        });
        let mut layers = manifests.map(|manifest| manifest["layers"][0].clone());
        let layer = layers
            .find(|layer| layer["digest"] == blob.as_str())
            .unwrap();
        assert_eq!(layer["mediaType"], layer_type);
        assert_eq!(entry_layer_type(&registry, entry), BUNDLE_TYPE);
        // The next run reads the record, which it would not if it did not count.
        let signing = Some((key_signer(&key), formats));
        let again = done(promotion(&registry, &trust, signing), &context()).await;
        assert!(!again.has_changes());
    }
}

#[tokio::test]
async fn promise_6_a_run_that_may_not_record_writes_nothing() {
    let (sigstore, keys) = (Sigstore::start().await, [keys::key(), keys::key()]);
    sigstore.claim(json!({"repository": "acme/api"}));
    let (registry, _) = start().await;
    let place = format!("prod of {}/prod", registry.host());
    let keyless = || Signer::Keyless(Arc::new(sigstore.signer(Rekor::V1)));
    let called = called_from(of_workflow(&sigstore, "release.yml"), "acme/web");
    let marks = RecordSigner {
        actions: Some(vec![RecordAction::Deployed]),
        ..any_action(of_key(&keys[0]))
    };
    for (signer, signing, reason) in [
        (
            any_action(of_key(&keys[1])),
            key_signer(&keys[0]),
            "this run signs as the key sha256:",
        ),
        (
            marks,
            key_signer(&keys[0]),
            "its signer may record deployed only, got promote",
        ),
        (
            any_action(called),
            keyless(),
            ", repository acme/api, expected https://github.com/",
        ),
        (
            any_action(of_workflow(&sigstore, "deploy.yml")),
            keyless(),
            "this run signs as https://*/acme/web/.github/workflows/release.yml@refs/heads/main",
        ),
    ] {
        let request = promotion(&registry, &trust([signer]), Some((signing, BUNDLE)));
        let Failure::Refused(diagnostic) = refused(&registry, request).await else {
            panic!("{reason}");
        };
        let expected = format!("the environment {place} does not accept the record of this run: ");
        assert!(
            diagnostic.what.starts_with(&expected),
            "{}",
            diagnostic.what
        );
        assert!(diagnostic.what.contains(reason), "{}", diagnostic.what);
    }
    // Tokens say who the run is. No certificate names it.
    assert_eq!(sigstore.counts(), [2, 0, 0, 0]);
    let unsigned = promotion(&registry, &trust([any_action(of_key(&keys[0]))]), None);
    let Failure::Input(diagnostic) = refused(&registry, unsigned).await else {
        panic!("an unsigned run");
    };
    assert_eq!(
        diagnostic.what,
        format!("the environment {place} takes signed records only, and this run does not sign")
    );
}

#[tokio::test]
async fn promise_2_a_record_that_would_not_count_is_found_before_a_tag_is_written() {
    let [sigstore, other] = [Sigstore::start().await, Sigstore::start().await];
    let (registry, _) = start().await;
    // The name is right, and the environment trusts another instance.
    let trust = trust([any_action(of_workflow(&other, "release.yml"))]);
    let signer = Signer::Keyless(Arc::new(sigstore.signer(Rekor::V1)));
    let request = promotion(&registry, &trust, Some((signer, BUNDLE)));
    let Failure::Service(diagnostic) = run(&request, &context()).await.unwrap_err() else {
        panic!("another instance");
    };
    assert!(
        diagnostic.what.starts_with("the new record of "),
        "{}",
        diagnostic.what
    );
    assert!(registry.tags("prod").is_empty());
}
