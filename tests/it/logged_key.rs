//! Keys whose signatures a transparency log holds, against services in this process.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use serde_json::json;
use shipmark::release::{
    CheckedSignature, Failure, ImageCheck, ReleaseOutcome, ReleaseRequest, RequiredEvidence,
    SignatureFormat, SigningOptions, VerifyRequest,
};
use shipmark::signing::{
    Predicate, PredicateSource, PrivateKey, Requirement, Signer, VerificationError,
};
use shipmark::tagging::TagRules;

use crate::registry::{Effect, Fault, Profile, Registry};
use crate::sigstore::{Rekor, Sigstore};
use crate::support::keys;
use crate::support::process::{Place, Ran};
use crate::support::*;

const BUNDLE: &[SignatureFormat] = &[SignatureFormat::Bundle];
const LEGACY: &[SignatureFormat] = &[SignatureFormat::Legacy];
const BOTH: &[SignatureFormat] = &[SignatureFormat::Bundle, SignatureFormat::Legacy];

fn logged(
    sigstore: &Sigstore,
    key: &PrivateKey,
    rekor: Rekor,
    forms: &[SignatureFormat],
) -> SigningOptions {
    SigningOptions {
        signer: Signer::LoggedKey(Arc::new(sigstore.logged(key.clone(), rekor))),
        formats: forms.to_vec(),
        ..keys::signing(key)
    }
}

fn signed(place: &str, signing: SigningOptions) -> ReleaseRequest {
    let mut request = push(&example(), &[place], "refs/heads/main");
    request.rules = TagRules::parse(["it"]).unwrap();
    request.signing = Some(signing);
    request
}

/// How many signatures were made, and how many were there.
fn made(outcome: &ReleaseOutcome) -> [usize; 2] {
    let all = outcome.destinations[0].signatures.iter();
    let (made, there): (Vec<_>, Vec<_>) = all.partition(|signed| signed.is_new);
    [made.len(), there.len()]
}

/// Every signature of the image at a place, where the log has to hold them.
async fn checked(sigstore: &Sigstore, key: &PrivateKey, place: &str) -> Vec<CheckedSignature> {
    let check = ImageCheck {
        requirement: Requirement::Key {
            key: key.public().clone(),
            log: Some(sigstore.root()),
        },
        wanted: vec![RequiredEvidence::Signature],
    };
    let request = VerifyRequest {
        source: format!("{place}:it").parse().unwrap(),
        recursive: false,
    };
    let check = async { Ok(check) };
    let verified = shipmark::release::verify(&request, check, &context()).await;
    verified.unwrap().signatures
}

#[tokio::test]
async fn promise_2_what_a_key_signs_is_logged_before_a_tag_names_it() {
    for (rekor, forms) in [
        (Rekor::V1, BUNDLE),
        (Rekor::V2, BUNDLE),
        (Rekor::V1, LEGACY),
        (Rekor::V1, BOTH),
    ] {
        for profile in [Profile::plain(), Profile::distribution()] {
            let (sigstore, key) = (Sigstore::start().await, keys::key());
            let registry = Registry::start(profile).await;
            let place = format!("{}/web", registry.host());
            let signing = || logged(&sigstore, &key, rekor, forms);
            let outcome = done(signed(&place, signing()), &context()).await;
            let case = format!("{rekor:?} {forms:?}");
            assert_eq!(made(&outcome), [forms.len(), 0], "{case}");
            let stamped = match rekor {
                Rekor::V1 => 0,
                Rekor::V2 => 1,
            };
            // No token and no certificate.
            assert_eq!(sigstore.counts(), [0, 0, forms.len(), stamped], "{case}");
            let lines = registry.requests();
            let is_tag = |line: &String| line.starts_with("PUT /v2/web/manifests/it ");
            let tagged = lines.iter().position(is_tag).unwrap();
            let mut later = lines[tagged..].iter();
            let beside = |line: &&String| line.starts_with("PUT ") && line.contains("sha256");
            assert_eq!(later.find(beside), None, "{case}");
            assert_eq!(registry.dangling(), Vec::<String>::new(), "{case}");
            let found = checked(&sigstore, &key, &place).await;
            let good: Vec<_> = found
                .iter()
                .map(|one| one.result.clone().unwrap())
                .collect();
            assert_eq!(good.len(), forms.len(), "{case}");
            assert!(good.iter().all(|one| one.evidence.logged), "{case}");
            // Another run adds nothing.
            let again = done(signed(&place, signing()), &context()).await;
            assert_eq!(made(&again), [0, forms.len()], "{case}");
            assert_eq!(sigstore.entries(), forms.len(), "{case}");
        }
    }
}

/// A key of each kind that signs: those of the file, and Ed25519.
fn keys_of_all_kinds() -> Vec<PrivateKey> {
    let forms = include_str!("../data/keys/openssl-forms.txt");
    let groups = forms.split("=====\n").filter_map(|group| {
        let first = group
            .split("-----\n-\n")
            .next()?
            .trim_end_matches("-----\n");
        first.contains("BEGIN").then(|| format!("{first}-----\n"))
    });
    let ed25519 = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
    let ed25519 = crate::sigstore::base64(ed25519.as_ref());
    let ed25519 = format!("-----BEGIN PRIVATE KEY-----\n{ed25519}\n-----END PRIVATE KEY-----\n");
    let keys = groups.chain([ed25519]);
    keys.map(|text| PrivateKey::parse(&text, "pw").unwrap())
        .collect()
}

#[tokio::test]
async fn keys_of_every_kind_sign_what_logs_hold() {
    let keys = keys_of_all_kinds();
    assert_eq!(keys.len(), 5);
    let mut refused = Vec::new();
    for (number, key) in keys.iter().enumerate() {
        for (rekor, forms) in [
            (Rekor::V1, BUNDLE),
            (Rekor::V1, LEGACY),
            (Rekor::V2, BUNDLE),
        ] {
            let (sigstore, case) = (
                Sigstore::start().await,
                format!("{number} {rekor:?} {forms:?}"),
            );
            let registry = Registry::start(Profile::plain()).await;
            let place = format!("{}/web", registry.host());
            let signing = logged(&sigstore, key, rekor, forms);
            let request = signed(&place, signing);
            match shipmark::release::run(&request, &context()).await {
                Ok(_) => {
                    let found = checked(&sigstore, key, &place).await;
                    assert_eq!(found.len(), 1, "{case}");
                    let found = found[0].result.as_ref().expect(&case);
                    assert!(found.evidence.logged, "{case}");
                }
                Err(failure) => {
                    let told = failure.diagnostic().unwrap().to_string();
                    assert!(told.contains("Ed25519"), "{case}: {told}");
                    assert_eq!(registry.tags("web"), Default::default(), "{case}");
                    refused.push((rekor, forms));
                }
            }
        }
    }
    // Ed25519, in the two forms for which Rekor takes Ed25519ph instead.
    assert_eq!(refused, [(Rekor::V1, LEGACY), (Rekor::V2, BUNDLE)]);
}

/// RSA signs the same alike, and Rekor v2 takes no entry twice.
#[tokio::test]
async fn a_signature_of_rsa_that_the_log_has_already_is_made_otherwise() {
    let keys = keys_of_all_kinds();
    let rsa = &keys[3];
    let sigstore = Sigstore::start().await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    for _ in 0..3 {
        sigstore.fault(Fault::on("POST", "/rekor", Effect::ResetAfter));
    }
    let signing = logged(&sigstore, rsa, Rekor::V2, BUNDLE);
    done(signed(&place, signing), &context()).await;
    assert!(sigstore.entries() > 1);
    let found = checked(&sigstore, rsa, &place).await;
    assert!(found[0].result.is_ok(), "{found:?}");
}

/// What the key signed before it was to be logged does not count where a log has to hold it.
#[tokio::test]
async fn a_signature_that_no_log_holds_is_refused_and_made_anew() {
    for profile in [Profile::plain(), Profile::distribution()] {
        let (sigstore, key) = (Sigstore::start().await, keys::key());
        let registry = Registry::start(profile).await;
        let place = format!("{}/web", registry.host());
        done(signed(&place, keys::signing(&key)), &context()).await;
        let found = checked(&sigstore, &key, &place).await;
        let flaws: Vec<_> = found
            .into_iter()
            .map(|one| one.result.unwrap_err())
            .collect();
        assert_eq!(
            flaws,
            [VerificationError::NotInLog, VerificationError::NotInLog]
        );
        let signing = || logged(&sigstore, &key, Rekor::V1, BOTH);
        let outcome = done(signed(&place, signing()), &context()).await;
        assert_eq!(made(&outcome), [2, 0]);
        let found = checked(&sigstore, &key, &place).await;
        let good = found.iter().filter(|one| one.result.is_ok());
        assert_eq!(good.count(), 2, "{found:?}");
        // Without a log either counts.
        let again = done(signed(&place, keys::signing(&key)), &context()).await;
        assert_eq!(made(&again), [0, 2]);
        // A log that is not trusted is no log.
        let other = Sigstore::start().await;
        let found = checked(&other, &key, &place).await;
        assert!(found.iter().all(|one| one.result.is_err()), "{found:?}");
    }
}

#[tokio::test]
async fn what_a_key_attests_is_logged_too() {
    let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []});
    let sbom = Predicate::parse(PredicateSource::Sbom, sbom.to_string().as_bytes()).unwrap();
    for (rekor, forms) in [(Rekor::V1, BOTH), (Rekor::V2, BUNDLE)] {
        let (sigstore, key) = (Sigstore::start().await, keys::key());
        let registry = Registry::start(Profile::distribution()).await;
        let place = format!("{}/web", registry.host());
        let signing = || SigningOptions {
            attestations: vec![sbom.clone()],
            recursive: true,
            ..logged(&sigstore, &key, rekor, forms)
        };
        let all = 6 * forms.len();
        let outcome = done(signed(&place, signing()), &context()).await;
        assert_eq!(made(&outcome), [all, 0], "{rekor:?}");
        assert_eq!(sigstore.entries(), all, "{rekor:?}");
        let again = done(signed(&place, signing()), &context()).await;
        assert_eq!(made(&again), [0, all], "{rekor:?}");
    }
}

#[tokio::test]
async fn a_log_that_fails_is_named_and_nothing_is_half_written() {
    let slow = || Effect::Delay(Duration::from_secs(20));
    let (log, stamp) = ("Rekor", "the timestamp authority");
    for (rekor, path, service) in [
        (Rekor::V1, "/rekor", log),
        (Rekor::V2, "/rekor", log),
        (Rekor::V2, "/stamp", stamp),
    ] {
        for (effect, said) in [
            (Effect::status(500), "answers 500"),
            (Effect::status(400), "answers 400"),
            (Effect::ResetBefore, "does not answer"),
            (slow(), "does not answer"),
            (Effect::Truncate(40), "sent an invalid response"),
            (Effect::EndlessBody, "a body of more than"),
        ] {
            let (sigstore, key) = (Sigstore::start().await, keys::key());
            let registry = Registry::start(Profile::plain()).await;
            let place = format!("{}/web", registry.host());
            sigstore.fault(Fault::on("*", path, effect.clone()).always());
            let request = signed(&place, logged(&sigstore, &key, rekor, BUNDLE));
            let (failure, text) = failed(request, &context()).await;
            let case = format!("{rekor:?} {path} {effect:?}: {text}");
            assert!(matches!(failure, Failure::Service(_)), "{case}");
            assert!(text.contains(said) && text.contains(service), "{case}");
            assert!(registry.tags("web").is_empty(), "{case}");
            let lines = registry.requests();
            let bundle = lines
                .iter()
                .any(|line| line.contains("referrers") && line.starts_with("PUT"));
            assert!(!bundle, "{case}");
        }
        // A lost answer is no lost signature.
        let (sigstore, key) = (Sigstore::start().await, keys::key());
        let registry = Registry::start(Profile::plain()).await;
        let place = format!("{}/web", registry.host());
        sigstore.fault(Fault::on("*", path, Effect::ResetAfter).times(2));
        let request = signed(&place, logged(&sigstore, &key, rekor, BUNDLE));
        done(request, &context()).await;
        let entries = if (rekor, path) == (Rekor::V2, "/rekor") {
            2
        } else {
            1
        };
        assert_eq!(sigstore.entries(), entries, "{rekor:?} {path}");
    }
}

/// A step that signs with a key and has a log hold that.
fn step(place: &Place, sigstore: &Sigstore, more: &[(&str, &str)]) -> std::process::Command {
    std::fs::write(place.path("root.json"), sigstore.trusted_root()).unwrap();
    let (rekor, source) = (sigstore.url("/rekor"), example());
    let mut inputs = vec![
        ("command", "push"),
        ("source", source.as_str()),
        ("images", "oci:a"),
        ("tags", "it"),
        ("sign", "key"),
        ("signing-key", "it.key"),
        ("transparency-log", "on"),
        ("rekor-url", rekor.as_str()),
        ("trusted-root", "root.json"),
    ];
    for (name, value) in more {
        inputs.retain(|(known, _)| known != name);
        inputs.push((name, value));
    }
    place.step("refs/heads/main", &inputs)
}

async fn ran(mut command: std::process::Command) -> Ran {
    tokio::task::spawn_blocking(move || Ran::of(command.output().unwrap()))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_signs_with_a_key_and_has_that_logged() {
    let (sigstore, place, pem) = (Sigstore::start().await, Place::new(), keys::pem());
    let key = PrivateKey::parse(&pem, "").unwrap();
    std::fs::write(place.path("it.key"), &pem).unwrap();
    std::fs::write(place.path("it.pub"), key.public().to_pem()).unwrap();
    let signed = ran(step(&place, &sigstore, &[])).await;
    assert_eq!(signed.status, Some(0), "{}", signed.log);
    assert_eq!(sigstore.counts(), [0, 0, 2, 0]);
    let verify = |source: &str| {
        let mut command = place.command();
        command
            .args(["verify", "--key=it.pub", "--transparency-log=on"])
            .args(["--trusted-root=root.json", "--source", source]);
        command
    };
    let verified = ran(verify("oci:a:it")).await;
    assert_eq!(verified.status, Some(0), "{}{}", verified.out, verified.log);
    let alone = [
        ("images", "oci:b"),
        ("transparency-log", ""),
        ("rekor-url", ""),
        ("trusted-root", ""),
    ];
    let unlogged = ran(step(&place, &sigstore, &alone)).await;
    assert_eq!(unlogged.status, Some(0), "{}", unlogged.log);
    let refused = ran(verify("oci:b:it")).await;
    assert_eq!(refused.status, Some(1), "{}", refused.log);
    let said = refused.out + &refused.log;
    assert!(
        said.contains("no transparency log entry, and one is required"),
        "{said}"
    );
    assert_eq!(sigstore.counts(), [0, 0, 2, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_logging_with_a_key_lacks_is_said_before_anything_is_done() {
    let sigstore = Sigstore::start().await;
    for (more, message) in [
        (
            &[("trusted-root", "")][..],
            "rekor-url is given without trusted-root",
        ),
        (&[("rekor-url", "")], "not where to log"),
        (
            &[("rekor-url", "http://rekor.example")],
            "is not an https address",
        ),
        (&[("signing-config", "nosuch.json")], "cannot be read"),
        (
            &[("fulcio-url", "https://fulcio.example")],
            "a key signs without it",
        ),
        (
            &[("oidc-issuer", "https://issuer.example")],
            "a key signs without it",
        ),
        (
            &[("transparency-log", "off")],
            "rekor-url is given, and what a key signs is not logged",
        ),
        (
            &[("transparency-log", "")],
            "rekor-url is given, and what a key signs is not logged",
        ),
    ] {
        let place = Place::new();
        std::fs::write(place.path("it.key"), keys::pem()).unwrap();
        let ran = ran(step(&place, &sigstore, more)).await;
        assert_eq!(ran.status, Some(2), "{more:?}: {}", ran.log);
        assert!(ran.log.contains(message), "{more:?}: {}", ran.log);
        assert!(!place.path("a").exists(), "{more:?}");
    }
    assert_eq!(sigstore.counts(), [0; 4]);
}
