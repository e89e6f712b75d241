//! What logs and registries do not take of signatures, and how that is told.

use shipmark::release::{ImageCheck, RequiredEvidence, VerifyRequest};

use super::*;

/// Attests an SBOM with a filler of a size in bytes, with a log that treats its requests so. Returns the
/// words of the failure.
async fn refused(effect: Effect, size: usize) -> String {
    let sigstore = Sigstore::start().await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    // The signature is there: only the attestation is logged.
    let unattested = signing(&Arc::new(sigstore.signer(Rekor::V1)), BUNDLE);
    done(signed(&[&place], unattested), &context()).await;
    registry.clear_log();
    sigstore.fault(Fault::on("POST", "/rekor", effect).always());
    let sbom =
        json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "x".repeat(size)});
    let sbom = Predicate::parse(PredicateSource::Sbom, sbom.to_string().as_bytes()).unwrap();
    let signing = SigningOptions {
        attestations: vec![sbom],
        ..signing(&Arc::new(sigstore.signer(Rekor::V1)), BUNDLE)
    };
    let (failure, told) = failed(signed(&[&place], signing), &context()).await;
    assert!(matches!(failure, Failure::Service(_)), "{told}");
    assert_eq!(sigstore.entries(), 1, "{told}");
    assert_eq!(beside(&registry), Vec::<String>::new(), "{told}");
    told
}

#[tokio::test]
async fn an_attestation_over_the_limit_of_the_log_is_told_with_its_size_and_the_way_on() {
    for effect in [
        Effect::status_with(413, &[], "Request Entity Too Large"),
        Effect::status_with(
            400,
            &[],
            r#"{"code":400,"message":"http: request body too large"}"#,
        ),
        Effect::ResetInUpload(65_000),
        Effect::ResetBefore,
    ] {
        let told = refused(effect.clone(), 200_000).await;
        for part in [
            "Rekor",
            "bytes: it may be over the limit of the log",
            "Rekor v2",
        ] {
            assert!(told.contains(part), "{effect:?}: {told}");
        }
    }
}

#[tokio::test]
async fn a_small_attestation_that_the_log_refuses_is_not_called_large() {
    let told = refused(Effect::status(400), 10).await;
    assert!(!told.contains("limit of the log"), "{told}");
}

#[tokio::test]
async fn a_registry_without_artifact_manifests_is_told_with_the_way_on() {
    let registry = Registry::start(Profile::distribution()).await;
    let place = format!("{}/web", registry.host());
    let mut unsigned = signed(&[&place], keys::signing(&keys::key()));
    unsigned.signing = None;
    done(unsigned, &context()).await;
    for status in [400, 405, 415, 422] {
        let invalid = r#"{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid"}]}"#;
        let effect = Effect::status_with(status, &[], invalid);
        registry.fault(Fault::on("PUT", "/manifests/sha256:", effect));
        let bundle = SigningOptions {
            formats: BUNDLE.to_vec(),
            ..keys::signing(&keys::key())
        };
        let (failure, told) = failed(signed(&[&place], bundle), &context()).await;
        assert!(!matches!(failure, Failure::Refused(_)), "{status}: {told}");
        assert!(told.contains("OCI 1.1"), "{status}: {told}");
        assert!(
            told.contains("signature-format: legacy"),
            "{status}: {told}"
        );
    }
    // What it says works.
    let legacy = SigningOptions {
        formats: LEGACY.to_vec(),
        ..keys::signing(&keys::key())
    };
    let outcome = done(signed(&[&place], legacy), &context()).await;
    assert_eq!(made(&outcome), [1, 0]);
}

/// The predicate types, with whether a log holds each signature at a place.
async fn logged(check: ImageCheck, place: &str) -> Vec<(bool, bool)> {
    let request = VerifyRequest {
        source: format!("{place}:it").parse().unwrap(),
        recursive: false,
    };
    let check = async { Ok(check) };
    let verified = shipmark::release::verify(&request, check, &context()).await;
    let verified = verified.unwrap();
    assert!(verified.missing.is_empty(), "{:?}", verified.missing);
    let signatures = verified.signatures.iter();
    let signatures = signatures.map(|one| (false, one.result.clone().unwrap().evidence.logged));
    let attested = verified.attestations.iter();
    let attested = attested.map(|one| (true, one.result.clone().unwrap().evidence.logged));
    signatures.chain(attested).collect()
}

#[tokio::test]
async fn transparency_log_attestations_logs_signatures_and_no_attestation() {
    let sigstore = Sigstore::start().await;
    let key = keys::key();
    let keyless = sigstore.signer(Rekor::V2).without_logged_attestations();
    let by_key = sigstore
        .logged(key, Rekor::V2)
        .without_logged_attestations();
    let signers = [
        Signer::Keyless(Arc::new(keyless)),
        Signer::LoggedKey(Arc::new(by_key)),
    ];
    for (number, signer) in signers.into_iter().enumerate() {
        let registry = Registry::start(Profile::plain()).await;
        let place = format!("{}/web", registry.host());
        let unused = Arc::new(sigstore.signer(Rekor::V2));
        let options = SigningOptions {
            signer: signer.clone(),
            attestations: attestations(),
            ..signing(&unused, BUNDLE)
        };
        let before = sigstore.entries();
        let outcome = done(signed(&[&place], options.clone()), &context()).await;
        assert_eq!(made(&outcome), [3, 0], "{number}");
        assert_eq!(sigstore.entries() - before, 1, "{number}");
        // Another run adds nothing.
        let again = done(signed(&[&place], options), &context()).await;
        assert_eq!(made(&again), [0, 3], "{number}");
        let http = context();
        let notices = shipmark::notices::Notices::new(|_| ());
        let requirement = signer.requirement(http.registry.http(), &notices).await;
        let check = ImageCheck {
            requirement: requirement.unwrap(),
            wanted: vec![
                RequiredEvidence::Signature,
                RequiredEvidence::Attestation("https://cyclonedx.org/bom".parse().unwrap()),
            ],
        };
        let found = logged(check, &place).await;
        assert_eq!(found, [(false, true), (true, false)], "{number}");
    }
}
