//! Signatures in registries and layouts as people met them.

use serde_json::json;
use shipmark::release::{Failure, SignatureFormat};
use shipmark::tagging::TagRules;

use super::field::expect;
use super::images::{INDEX, MANIFEST};
use crate::registry::{Effect, Fault, Profile, Registry, digest};
use crate::support::process::{Place, Ran};
use crate::support::*;

#[test]
fn a_second_key_on_a_released_image_is_a_release() {
    let place = Place::new();
    let source = example();
    for outcome in ["released", "released", "unchanged"] {
        let key = place.path("key.pem");
        if outcome == "released" {
            std::fs::write(&key, keys::pem()).unwrap();
        }
        let inputs = [
            ("command", "promote"),
            ("source", source.as_str()),
            ("images", "oci:out"),
            ("tags", "it"),
            ("sign", "key"),
            ("signing-key", key.to_str().unwrap()),
        ];
        let ran = Ran::of(place.step("refs/heads/main", &inputs).output().unwrap());
        assert_eq!(ran.status, Some(0), "{}{}", ran.out, ran.log);
        assert_eq!(place.output("outcome"), outcome, "{}", ran.out);
        assert!(!place.output("signatures").is_empty(), "{}", ran.out);
    }
}

/// A registry that does not confirm a referrer, and lists it later, or never.
#[tokio::test]
async fn a_list_of_referrers_that_lags_is_waited_for() {
    for (reads, is_listed) in [(3, true), (u32::MAX, false)] {
        let profile = Profile::plain().referrers(true).oci_subject(false);
        let registry = Registry::start(profile).await;
        let empty = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []});
        let answer = Effect::status_with(200, &[("content-type", INDEX)], &empty.to_string());
        registry.fault(Fault::on("GET", "/referrers/", answer).times(reads));
        let place = format!("{}/web", registry.host());
        let mut request = push(&example(), &[&place], "refs/heads/main");
        request.rules = TagRules::parse(["it"]).unwrap();
        let mut signing = keys::signing(&keys::key());
        signing.formats = vec![SignatureFormat::Bundle];
        request.signing = Some(signing);
        if is_listed {
            done(request, &context()).await;
            assert_eq!(tags(&registry, "web").len(), 1);
            continue;
        }
        let (failure, _) = failed(request, &context()).await;
        let Failure::Service(told) = &failure else {
            panic!("{failure:?}");
        };
        assert!(told.what.contains("does not list it"), "{failure:?}");
        assert!(
            told.hint
                .as_deref()
                .unwrap_or_default()
                .contains("signature-format: legacy")
        );
        assert_eq!(
            tags(&registry, "web").len(),
            0,
            "no tag names an unsigned image"
        );
    }
}

/// What is not read is named: it is not "none".
#[tokio::test]
async fn a_signature_of_notation_is_named() {
    let registry = Registry::start(Profile::plain().referrers(true)).await;
    put_example(&registry, "web", "it");
    let config = registry.put_blob("web", "{}");
    let layer = registry.put_blob("web", "jws");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "artifactType": "application/vnd.cncf.notary.signature",
        "config": {"mediaType": "application/vnd.cncf.notary.signature", "digest": config, "size": 2},
        "layers": [{"mediaType": "application/jose+json", "digest": layer, "size": 3}],
        "subject": {"mediaType": INDEX, "digest": example_root().to_string(), "size": 1},
    });
    let manifest = manifest.to_string();
    let reference = digest(manifest.as_bytes());
    registry.put_manifest("web", &reference, MANIFEST, manifest);
    let place = Place::new();
    std::fs::write(place.path("key.pub"), keys::key().public().to_pem()).unwrap();
    let source = format!("--source={}/web:it", registry.host());
    let ran = tokio::task::spawn_blocking(move || {
        expect(&place, 1, &["verify", &source, "--key=key.pub"])
    });
    let told = ran.await.unwrap();
    assert!(
        told.contains("1 signature in the form of notation, which is not read"),
        "{told}"
    );
    assert!(!told.contains("no signatures found"), "{told}");
}
